/**
 * Who may do what: one line for each route there is. What no line names is nobody's, so a new route
 * answers nobody until it has one; a test holds this table and the routes to each other.
 *
 * - `anyone`: no more is told there than that the service is well, or how to sign in.
 * - `start`, `wake`, `run`: App Engine before it sends anything, who sends ticks, who sends runs.
 * - `viewer`, `operator`: who looks, and who changes things too.
 */
const TABLE = {
  anyone: ['GET /healthz', 'GET /login', 'POST /login', 'GET /assets/:file'],
  start: ['GET /_ah/warmup', 'GET /_ah/start'],
  wake: ['POST /triggers/tick', 'POST /triggers/jobs/:name'],
  run: ['POST /triggers/runs/:id'],
  viewer: [
    'GET /',
    'GET /jobs/:name',
    'GET /jobs/:name/backfill',
    'GET /jobs/:name/last/:run',
    'GET /runs',
    'GET /runs/:id',
    'GET /runs/:id/log',
    'GET /runs/:id/log.txt',
    'GET /runs/:id/log.ndjson',
    'GET /runs/:id/input.json',
    'GET /runs/:id/output.json',
    'GET /runs/:id/earlier',
    'GET /runs/:id/later',
    'GET /timeline',
    'GET /actions',
    'GET /schedule',
    'GET /fragments/schedule',
    'GET /system',
    'POST /logout',
    'GET /api/v1',
    'GET /api/v1/openapi.json',
    'GET /api/v1/docs',
    'GET /api/v1/jobs',
    'GET /api/v1/jobs/:name',
    'GET /api/v1/jobs/:name/runs',
    'GET /api/v1/jobs/:name/pause',
    'GET /api/v1/jobs/:name/backfills',
    'GET /api/v1/jobs/:name/backfills/:id',
    'GET /api/v1/runs',
    'GET /api/v1/runs/:id',
    'GET /api/v1/runs/:id/log',
    'GET /api/v1/upcoming',
    'GET /api/v1/actions',
    'GET /api/v1/system',
  ],
  operator: [
    'POST /jobs/:name/runs',
    'POST /jobs/:name/pause',
    'POST /jobs/:name/resume',
    'POST /jobs/:name/row/runs',
    'POST /jobs/:name/row/pause',
    'POST /jobs/:name/row/resume',
    'POST /jobs/:name/backfill',
    'POST /jobs/:name/backfills/:id/end',
    'POST /runs/:id/cancel',
    'POST /runs/:id/free',
    'POST /runs/:id/reruns',
    'GET /metrics',
    'POST /api/v1/jobs/:name/runs',
    'PUT /api/v1/jobs/:name/pause',
    'DELETE /api/v1/jobs/:name/pause',
    'POST /api/v1/jobs/:name/backfills',
    'DELETE /api/v1/jobs/:name/backfills/:id',
    'POST /api/v1/runs/:id/cancel',
    'POST /api/v1/runs/:id/reruns',
    'POST /api/v1/runs/:id/free',
  ],
} as const;

/** What somebody needs to have for a route. */
export type Right = keyof typeof TABLE;

export interface Rule {
  readonly right: Right;
  readonly method: string;
  /** As the router has it: `/jobs/:name`. */
  readonly path: string;
  /** Where it belongs: what senders of triggers ask, programs, or people with a browser. */
  readonly surface: 'open' | 'triggers' | 'api' | 'pages';
  /** Of what starts something there may be only so many a second. */
  readonly starts: boolean;
}

/** Whether a path is below what senders of triggers ask, a route or not. */
export const isTrigger = (path: string): boolean => /^\/(?:triggers|_ah)(?:\/|$)/i.test(path);

export const isApi = (path: string): boolean => /^\/api(?:\/|$)/i.test(path);

const RIGHTS: readonly Right[] = ['anyone', 'start', 'wake', 'run', 'viewer', 'operator'];
const STARTS = /^\/triggers\/|^\/api\/v1\/(?:jobs\/:name\/(?:runs|backfills)|runs\/:id\/reruns)$/;

/** Every rule there is. */
export const RULES: readonly Rule[] = RIGHTS.flatMap((right) =>
  TABLE[right].map((line) => {
    const [method = '', path = ''] = line.split(' ');
    const starts = method === 'POST' && STARTS.test(path);
    return { right, method, path, surface: surfaceOf(right, path), starts };
  }),
);

function surfaceOf(right: Right, path: string): Rule['surface'] {
  if (right === 'anyone') return 'open';
  if (isApi(path)) return 'api';
  return isTrigger(path) ? 'triggers' : 'pages';
}

/** The rule of a request; undefined where no line names it. HEAD is a GET without its body. */
export function ruleOf(method: string, path: string): Rule | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  return rulesOf(path).find((rule) => rule.method === asked);
}

/** The methods that a path has, HEAD among them; none for a path that there is not. */
export function methodsOf(path: string): readonly string[] {
  const methods = new Set(rulesOf(path).map(({ method }) => method));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods];
}

/** By the number of their parts, so that a request is held against few. */
const PATTERNS = Map.groupBy(
  RULES.map((rule) => ({ rule, parts: rule.path.split('/') })),
  ({ parts }) => parts.length,
);

/** All rules of a path, one for each method. */
export function rulesOf(path: string): Rule[] {
  // As the router matches: in any case, with or without one slash at the end.
  const parts = path
    .toLowerCase()
    .replace(/(.)\/$/, '$1')
    .split('/');
  const found = (PATTERNS.get(parts.length) ?? []).filter((one) => fits(one.parts, parts));
  return found.map(({ rule }) => rule);
}

const fits = (pattern: readonly string[], parts: readonly string[]): boolean =>
  pattern.every((want, i) => (want.startsWith(':') ? parts[i] !== '' : want === parts[i]));
