import { isUtf8 } from 'node:buffer';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Deps } from './core/deps.ts';
import { localOnly, sameOrigin } from './http/access.ts';
import { apiRoutes } from './http/api.ts';
import { errorHandler, HttpError } from './http/errors.ts';
import { lazily } from './http/lazily.ts';
import { methodNotAllowed } from './http/methods.ts';
import { platformRoutes } from './http/platform.ts';
import { ONE_MACHINE, triggerIdentity, type TriggerTrust } from './http/trigger-identity.ts';
import { triggerRoutes } from './http/triggers.ts';

const BODY_LIMIT = 64 * 1024;

export interface AppOptions {
  /** Who may trigger; without it this machine alone. */
  readonly google?: TriggerTrust;
  /** Where Google's certificates are, for tests that sign as Google. */
  readonly certsUrl?: string;
}

/** The HTTP surface: middleware in order, then the routes. */
export function createApp(deps: Deps, { google, certsUrl }: AppOptions = {}): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(securityHeaders());

  app.get('/healthz', async (_req, res) => {
    await deps.store.time();
    const well = deps.trouble() === null && !deps.runner.closed;
    res.status(well ? 200 : 503).json({ status: well ? 'ok' : 'failing' });
  });
  const missing = [methodNotAllowed(app), notFound];
  const fromPlatform = ['/triggers', '/_ah'];
  app.use(fromPlatform, triggerIdentity(deps, google ?? ONE_MACHINE, certsUrl ?? null));
  app.use('/triggers', jsonOnly, json, triggerRoutes(deps));
  app.use('/_ah', platformRoutes());
  app.use(fromPlatform, missing);

  app.use(localOnly, sameOrigin);
  app.use('/api/v1', jsonOnly, json, apiRoutes(deps));
  app.use(lazily(async () => (await import('./http/pages/pages.ts')).pageRoutes(deps)));

  app.use(missing, errorHandler(deps));
  return app;
}

const notFound: RequestHandler = (req, _res, next) =>
  next(new HttpError(404, 'Not found', `there is no ${req.baseUrl}${req.path}`));

/** Text that is not UTF-8 would be bent into something that nobody sent. */
const json = express.json({
  limit: BODY_LIMIT,
  inflate: false,
  strict: false,
  verify: (_req, _res, body) => {
    if (!isUtf8(body)) throw new HttpError(400, 'Invalid text', 'the body is not UTF-8');
  },
});

/** Only our own scripts, styles and images; nobody may frame us. */
function securityHeaders(): RequestHandler {
  const self = ["'self'"];
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        connectSrc: self,
        formAction: self,
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Without a referrer browsers send `Origin: null` with a form, which looks like another site.
    referrerPolicy: { policy: 'same-origin' },
    // Plain HTTP on this machine: a promise of HTTPS would lock its owner out.
    strictTransportSecurity: false,
  });
}

/** A body must be JSON and say so; a request without a body need not say anything. */
const jsonOnly: RequestHandler = (req, _res, next) => {
  const hasBody =
    req.headers['transfer-encoding'] !== undefined ||
    Number(req.headers['content-length'] ?? 0) > 0;
  if (!hasBody || req.is('application/json') !== false) return next();
  next(new HttpError(415, 'Unsupported media type', 'send application/json'));
};
