import type { Request, RequestHandler } from 'express';
import type { GoogleConfig } from '../config.ts';
import type { Deps } from '../core/deps.ts';
import { isForeign, isOwnMachine } from './access.ts';
import { HttpError } from './errors.ts';
import { GoogleTokens, type TokenFault } from './google-token.ts';

/** All that says who may trigger. */
export type TriggerTrust = Pick<
  GoogleConfig,
  'platform' | 'serviceUrl' | 'schedulerAccount' | 'tasksAccount' | 'tasksQueue'
>;

/** A machine of one's own, and nobody from elsewhere. */
export const ONE_MACHINE: TriggerTrust = {
  platform: null,
  serviceUrl: null,
  schedulerAccount: null,
  tasksAccount: null,
  tasksQueue: null,
};

/**
 * Who may trigger. Closed: a path that no line here names is nobody's.
 *
 * - Cloud Scheduler's account and App Engine's cron may wake, Cloud Tasks' account and our own
 *   queue on App Engine may run.
 * - App Engine's headers count on App Engine alone, which takes them out of what comes from
 *   outside. `X-CloudScheduler-*` and `X-CloudTasks-*` are in nobody's list, and so are nothing.
 * - On a machine of one's own, this machine itself may do anything. On Google's, loopback is
 *   whatever stands before us.
 *
 * Whoever shows a token is judged by it alone. A refusal does not say why; the log does.
 */
export function triggerIdentity(
  deps: Pick<Deps, 'clock' | 'log'>,
  google: TriggerTrust,
  certsUrl: string | null,
): RequestHandler {
  const accounts = [google.schedulerAccount, google.tasksAccount].filter((one) => one !== null);
  const audience = accounts.length > 0 ? google.serviceUrl : null;
  const tokens =
    audience === null ? null : new GoogleTokens({ audience, certsUrl, clock: deps.clock });

  return async (req, _res, next) => {
    const path = req.baseUrl + req.path;
    const verdict = await judge(req, path, google, tokens);
    if ('may' in verdict && verdict.may.some((paths) => paths.test(path))) return next();
    const refusal = 'may' in verdict ? refuse(403, 'not-for-this-account') : verdict;
    deps.log('warn', 'trigger_refused', { ...refusal, path: path.slice(0, PATH_SHOWN) });
    next(asError(refusal));
  };
}

interface Refusal {
  readonly status: 401 | 403;
  readonly reason:
    | TokenFault
    | 'no-token'
    | 'several-tokens'
    | 'no-account-configured'
    | 'unknown-account'
    | 'not-for-this-account'
    | 'platform-header'
    | 'other-site'
    | 'not-this-machine';
}

type Verdict = Refusal | { readonly may: readonly RegExp[] };

// As the router matches: in any case, with or without a slash at the end.
const WAKE = /^\/triggers\/(?:tick|jobs\/[^/]+)\/?$/i;
const RUN = /^\/triggers\/runs\/[^/]+\/?$/i;
const START = /^\/_ah\/(?:warmup|start)\/?$/i;
const ANY = /^/;
const PATH_SHOWN = 200;

async function judge(
  req: Request,
  path: string,
  google: TriggerTrust,
  tokens: GoogleTokens | null,
): Promise<Verdict> {
  const { platform } = google;
  const sent = req.headersDistinct['authorization'];
  if (sent !== undefined) return await judgeToken(sent, google, tokens);

  const cron = req.headers['x-appengine-cron'];
  const queue = req.headers['x-appengine-queuename'];
  if (platform === 'app-engine') {
    // It sends these without any credential, and they decide nothing.
    if (START.test(path)) return { may: [START] };
    // Before the queue: App Engine's cron has one of its own, and names it.
    if (cron === 'true') return { may: [WAKE] };
    if (queue !== undefined && queue === google.tasksQueue) return { may: [RUN] };
  }
  if (cron !== undefined || queue !== undefined) return refuse(403, 'platform-header');

  if (platform === null && isOwnMachine(req)) {
    return isForeign(req) ? refuse(403, 'other-site') : { may: [ANY] };
  }
  // Where no token could help, none is asked for.
  if (platform === null && tokens === null) return refuse(403, 'not-this-machine');
  return refuse(401, 'no-token');
}

async function judgeToken(
  sent: readonly string[],
  google: TriggerTrust,
  tokens: GoogleTokens | null,
): Promise<Verdict> {
  if (sent.length > 1) return refuse(401, 'several-tokens');
  if (tokens === null) return refuse(401, 'no-account-configured');
  const token = /^Bearer ([^ ]+)$/i.exec(sent[0] ?? '')?.[1];
  if (token === undefined) return refuse(401, 'malformed');
  const checked = await tokens.check(token);
  if ('fault' in checked) return refuse(401, checked.fault);

  const may: RegExp[] = [];
  if (checked.email === google.schedulerAccount) may.push(WAKE);
  if (checked.email === google.tasksAccount) may.push(RUN);
  return may.length > 0 ? { may } : refuse(401, 'unknown-account');
}

const refuse = (status: Refusal['status'], reason: Refusal['reason']): Refusal => ({
  status,
  reason,
});

function asError({ status }: Refusal): HttpError {
  const detail = 'only those whom the service is configured to trust may trigger it';
  if (status === 403) return new HttpError(403, 'Forbidden', detail);
  return new HttpError(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': 'Bearer' } });
}
