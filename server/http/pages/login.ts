import { Router, type Request, type Response } from 'express';
import { loginPage } from '../../../views/login.ts';
import type { Deps } from '../../core/deps.ts';
import { addressOf, isForeign } from '../access.ts';
import { HttpError } from '../errors.ts';
import type { Cookies } from '../identity/cookies.ts';
import type { Identity, Trust } from '../identity/identity.ts';
import { makeSession } from '../identity/session.ts';
import { RateLimit, tooMany } from '../limit.ts';
import { assetPaths } from './assets.ts';
import { formFields } from './forms.ts';
import { sendHtml } from './send-html.ts';

/** Who lets people in. */
export interface Visits {
  readonly identity: Identity;
  readonly cookies: Cookies;
  readonly trust: Trust;
}

/** Tries in a row from one address, and then one each 12 s; for all together ten times that. */
const TRIES = { burst: 5, perSecond: 1 / 12 };
const ALL_TRIES = { burst: 50, perSecond: 1 };

/** Where somebody signs in with a token, and out again. */
export function loginRoutes(deps: Deps, visits: Visits): Router {
  const router = Router();
  const { cookies, trust } = visits;
  if (!trust.access.modes.includes('tokens')) return router;
  const limits = { one: new RateLimit(TRIES), all: new RateLimit(ALL_TRIES) };

  router.get('/login', (req, res) =>
    showLogin(res, { next: nextOf(req.query['next']), wrong: null }),
  );
  router.post('/login', async (req, res) => {
    // No rule of a role stands before this route, so it asks by itself where a form comes from.
    if (isForeign(req, trust.serviceUrl)) {
      throw new HttpError(403, 'Forbidden', 'sign in on the page of this service');
    }
    const now = deps.clock.monotonic();
    const wait =
      limits.one.take(addressOf(req, trust.platform), now) || limits.all.take('all', now);
    if (wait > 0) throw tooMany(wait);
    await signIn(deps, visits, req, res);
  });
  router.post('/logout', (_req, res) => {
    cookies.endSession(res);
    res.redirect(303, '/login');
  });
  return router;
}

/** The page itself, in place of another one that is asked for, or again with what is wrong. */
export function showLogin(
  res: Response,
  { next, wrong }: { readonly next: string; readonly wrong: string | null },
): void {
  sendHtml(res, loginPage({ next, wrong, assets: assetPaths }));
}

async function signIn(
  deps: Deps,
  { identity, cookies }: Visits,
  req: Request,
  res: Response,
): Promise<void> {
  const fields = formFields(req);
  const next = nextOf(fields.get('next'));
  const opened = await identity.open((fields.get('token') ?? '').trim());
  if (opened === undefined) {
    deps.log('warn', 'login_refused');
    const wrong = 'That is no token of this service, or it was revoked.';
    return showLogin(res.status(401).set('WWW-Authenticate', 'Bearer'), { next, wrong });
  }
  const { token, key } = opened;
  if (token.jobs !== null) {
    const wrong = 'This token is limited to some jobs, so it is for programs: see /api/v1.';
    return showLogin(res.status(403), { next, wrong });
  }
  deps.log('info', 'login', { name: token.name });
  cookies.keepSession(res, makeSession(token, key, deps.clock.wall()));
  res.redirect(303, next);
}

const NEXT_LIMIT = 2000;

/** A page of ours to go on to: never another site, whatever an address says. */
export function nextOf(given: unknown): string {
  const text = typeof given === 'string' ? given : '';
  const isPath = /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && text.length <= NEXT_LIMIT;
  return isPath && !text.startsWith('/login') ? text : '/';
}
