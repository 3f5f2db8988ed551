import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Deps } from '../../core/deps.ts';
import { isChange, isForeign, isNative } from '../access.ts';
import { setCaller } from '../caller.ts';
import { HttpError } from '../errors.ts';
import { RateLimit, tooMany } from '../limit.ts';
import { isTrigger, methodsOf, ruleOf, rulesOf, type Rule } from '../rules.ts';
import { FORM_HEADER } from '../visit.ts';
import type { Cookies } from './cookies.ts';
import type { Identity, Known, Reason, Trust } from './identity.ts';

/** A second's worth at once, and a few more: ticks of several services may come together. */
const BURST = 5;
const PATH_SHOWN = 200;

/**
 * Lets a request on to its route, or refuses it: by who sends it, by what the table of rules says,
 * and by where it comes from. A refusal does not say why; the log does. What no rule names ends
 * here, so that only those who are known learn which paths there are.
 */
export function authorise(
  deps: Pick<Deps, 'clock' | 'log'>,
  parts: { readonly identity: Identity; readonly cookies: Cookies; readonly trust: Trust },
): RequestHandler {
  const { identity, trust } = parts;
  const perSecond = trust.access.triggersPerSecond;
  const starts =
    perSecond === 0 ? null : new RateLimit({ perSecond, burst: Math.ceil(perSecond * BURST) });

  return async (req, res, next) => {
    const rule = ruleOf(req.method, req.path);
    if (rule?.right === 'anyone') return next();
    const verdict = judge(req, rule, await identity.of(req, rule?.right), parts);
    if ('reason' in verdict) {
      report(deps, req, verdict);
      return next(asError(req, verdict));
    }
    const { caller, name } = verdict;
    if (caller !== null) setCaller(req, caller);
    if (rule === undefined) return sendMethods(req, res, next);
    const wait = rule.starts ? (starts?.take(name, deps.clock.monotonic()) ?? 0) : 0;
    next(wait > 0 ? tooMany(wait) : undefined);
  };
}

type Authentic = Extract<Known, { kind: 'known' }>;

interface Refusal {
  readonly status: 401 | 403;
  readonly reason:
    | Reason
    | 'no-token'
    | 'not-this-machine'
    | 'not-for-this-account'
    | 'not-for-this-role'
    | 'limited-to-jobs'
    | 'other-site'
    | 'no-form-token';
}

function judge(
  req: Request,
  rule: Rule | undefined,
  known: Known,
  { identity, cookies, trust }: { identity: Identity; cookies: Cookies; trust: Trust },
): Refusal | Authentic {
  if (known.kind === 'refused') return known;
  if (known.kind === 'nobody') {
    // Where no credential could help, none is asked for.
    if (identity.takesCredentials || isPlatformHeader(req)) return refuse(401, 'no-token');
    return refuse(403, 'not-this-machine');
  }
  const { session } = known;
  if (isChange(req)) {
    const foreign = isForeign(req, trust.serviceUrl) || (session !== undefined && !isNative(req));
    if (foreign) return refuse(403, 'other-site');
  }
  // Pages' forms bear it where only the form can be asked, which is looked at when it is read.
  if (session !== undefined && rule?.surface === 'api' && isChange(req)) {
    const given = req.get(FORM_HEADER) ?? '';
    if (!cookies.isFormToken(req, session, given)) return refuse(403, 'no-form-token');
  }
  if (rule !== undefined) return lacking(rule, known) ?? known;
  // Senders of triggers learn of no other path than theirs.
  const isTheirs = rulesOf(req.path).some((one) => lacking(one, known) === undefined);
  return known.caller !== null || isTheirs ? known : refuse(403, 'not-for-this-account');
}

function lacking({ right, surface }: Rule, { caller, may }: Authentic): Refusal | undefined {
  if (right === 'start' || right === 'wake' || right === 'run') {
    return may.includes(right) ? undefined : refuse(403, 'not-for-this-account');
  }
  if (right === 'anyone') return undefined;
  if (caller === null) return refuse(403, 'not-for-this-account');
  if (right === 'operator' && caller.role !== 'operator') return refuse(403, 'not-for-this-role');
  // Pages show all jobs, side by side.
  const isWhole = caller.jobs === null || surface === 'api';
  return isWhole ? undefined : refuse(403, 'limited-to-jobs');
}

const refuse = (status: Refusal['status'], reason: Refusal['reason']): Refusal => ({
  status,
  reason,
});

const isPlatformHeader = (req: Request): boolean =>
  req.headers['x-appengine-cron'] !== undefined ||
  req.headers['x-appengine-queuename'] !== undefined;

/** Somebody who has not signed in is no event; a trigger that is refused is a job that waits. */
function report({ log }: Pick<Deps, 'log'>, req: Request, { status, reason }: Refusal): void {
  const path = req.path.slice(0, PATH_SHOWN);
  if (isTrigger(req.path)) log('warn', 'trigger_refused', { status, reason, path });
  else if (reason !== 'no-token') log('warn', 'request_refused', { status, reason, path });
}

function asError(req: Request, { status, reason }: Refusal): HttpError {
  const who = isTrigger(req.path)
    ? 'only those whom the service is configured to trust may trigger it'
    : 'only those whom the service is configured to trust are answered';
  if (status === 403) return new HttpError(403, 'Forbidden', WORDS[reason] ?? who);
  return new HttpError(401, 'Unauthorized', who, { headers: { 'WWW-Authenticate': 'Bearer' } });
}

/** Of those who are known already; what a stranger did wrong is for the log alone. */
const WORDS: Readonly<Partial<Record<Refusal['reason'], string>>> = {
  'not-for-this-role': 'a viewer may look, and change nothing: that takes an operator',
  'limited-to-jobs': 'a token that is limited to some jobs is for /api/v1 alone',
  'other-site': 'a request that changes something must come from this site',
  'no-form-token': `a session needs what its pages have in ${FORM_HEADER}; programs send a token`,
  'no-role': 'this account is neither a viewer nor an operator here',
  'not-this-machine': 'no credentials are configured, so only this machine itself is answered',
};

/** What no rule names: another method of a path that there is, or no path at all. */
function sendMethods(req: Request, res: Response, next: NextFunction): void {
  const methods = methodsOf(req.path);
  if (methods.length === 0) return notFound(req, res, next);
  const allow = methods.join(', ');
  if (req.method === 'OPTIONS') return void res.set('Allow', `${allow}, OPTIONS`).status(204).end();
  const headers = { Allow: allow };
  const detail = `${req.method} is not allowed here; ${allow} would be`;
  next(new HttpError(405, 'Method not allowed', detail, { headers }));
}

/** No path, or what a rule names and no route serves: an asset of another build. */
export const notFound = (req: Request, _res: Response, next: NextFunction): void =>
  next(new HttpError(404, 'Not found', `there is no ${req.path}`));
