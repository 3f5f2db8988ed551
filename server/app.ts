import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { AccessConfig } from './config-access.ts';
import type { Deps } from './core/deps.ts';
import { jsonBody } from './http/body.ts';
import { errorHandler } from './http/errors.ts';
import { authorise, notFound } from './http/identity/authorise.ts';
import { Cookies } from './http/identity/cookies.ts';
import { Identity, type Trust } from './http/identity/identity.ts';
import { lazily, lazilyOnError } from './http/lazily.ts';
import { platformRoutes } from './http/platform.ts';
import { isApi, isTrigger } from './http/rules.ts';
import { visiting } from './http/visit.ts';

export interface AppOptions {
  /** Who sends triggers, and where we are; without it a machine of one's own. */
  readonly google?: Omit<Trust, 'access'>;
  /** Who looks and changes things; without it this machine alone, and on Google's nobody. */
  readonly access?: AccessConfig;
  /** Where Google's keys are, for tests that sign as Google. */
  readonly certsUrl?: string;
  readonly iapKeysUrl?: string;
}

/** The HTTP surface: middleware in order, then the routes. */
export function createApp(deps: Deps, options: AppOptions = {}): Express {
  const trust = trustOf(options);
  const secure = trust.platform !== null || trust.serviceUrl?.startsWith('https:') === true;
  const cookies = new Cookies({ secure });
  const pages = { certsUrl: options.certsUrl ?? null, iapKeysUrl: options.iapKeysUrl ?? null };
  const identity = new Identity(deps, { trust, cookies, pages });
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(securityHeaders(secure), keptByNobody);

  app.get('/healthz', async (_req, res) => {
    await deps.store.time();
    const failing = deps.trouble() ?? deps.store.trouble ?? null;
    const well = failing === null && !deps.runner.closed;
    res.status(well ? 200 : 503).json({ status: well ? 'ok' : 'failing' });
  });
  app.use(visiting(cookies), authorise(deps, { identity, cookies, trust }));
  app.use(
    '/triggers',
    jsonBody,
    lazily(async () => (await import('./http/triggers.ts')).triggerRoutes(deps)),
  );
  app.use('/_ah', platformRoutes());
  app.use(
    '/api/v1',
    jsonBody,
    lazily(async () => (await import('./http/api/api.ts')).apiRoutes(deps)),
  );
  app.use(
    '/metrics',
    lazily(async () => (await import('./http/metrics.ts')).metricsRoutes(deps)),
  );
  const visits = { identity, cookies, trust };
  app.use(lazily(async () => (await import('./http/pages/pages.ts')).pageRoutes(deps, visits)));

  app.use(notFound);
  app.use(
    lazilyOnError(
      ({ path }) => !isTrigger(path) && !isApi(path),
      async () => (await import('./http/pages/refused.ts')).refusedPage(trust.access),
    ),
  );
  app.use(errorHandler(deps));
  return app;
}

/** What is so now, and for who asks; a route that may be kept says so itself. */
const keptByNobody: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

function trustOf({ google, access }: AppOptions): Trust {
  const { platform = null, serviceUrl = null, schedulerAccount = null } = google ?? {};
  const { tasksAccount = null, tasksQueue = null } = google ?? {};
  return {
    platform,
    serviceUrl,
    schedulerAccount,
    tasksAccount,
    tasksQueue,
    access: access ?? {
      modes: platform === null ? ['loopback'] : [],
      operators: [],
      viewers: [],
      iapAudience: null,
      triggersPerSecond: 0,
    },
  };
}

/** Only our own scripts, styles and images; nobody may frame us. */
function securityHeaders(secure: boolean): RequestHandler {
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
    // Over plain HTTP, on a machine of one's own, a promise of HTTPS would lock its owner out.
    strictTransportSecurity: secure,
  });
}
