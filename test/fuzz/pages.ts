import { RULES, type Rule } from '../../server/http/rules.ts';
import { JOB_QUERY } from '../../server/http/pages/job-filter.ts';
import type { Random } from '../simulation/random.ts';
import { draft, encoded, type Draft, type Pair } from './draft.ts';
import { isLiving } from './operations.ts';
import type { Pool } from './pool.ts';
import { oddText, word } from './values.ts';

/*
 * What is not the API's: pages with their questions and their forms, triggers, the login, assets,
 * and paths that are nobody's. The routes come from the table of rules.
 */

const OTHERS: readonly Rule[] = RULES.filter(({ surface }) => surface !== 'api');

/** What an address may ask for, by route. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  'GET /': ['text', 'tag', 'state', 'page'],
  'GET /jobs/:name': JOB_QUERY,
  'GET /jobs/:name/backfill': ['from', 'to'],
  'GET /runs': ['q', 'cursor', 'asOf'],
  'GET /runs/:id': ['text', 'level', 'before'],
  'GET /runs/:id/log': ['text', 'level', 'before', 'after'],
  'GET /timeline': ['text', 'tag', 'hours', 'page'],
  'GET /actions': ['job', 'by', 'cursor'],
  'GET /schedule': ['schedule', 'timeZone', 'name'],
  'GET /fragments/schedule': ['schedule', 'timeZone', 'name'],
  'GET /login': ['next'],
};

const INPUTS = ['text', 'count', 'mode', 'shops', 'dryRun', 'more'].map((name) => `input.${name}`);

/** What a form has in it, by route. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  'POST /login': ['token', 'next'],
  'POST /jobs/:name/runs': ['as', 'json', 'key', 'overlap', ...INPUTS],
  'POST /jobs/:name/pause': ['note', 'lasts', 'until'],
  'POST /jobs/:name/backfill': ['from', 'to', 'key'],
};

/** Looks at a page, clicks in one, or sends a trigger. */
export const otherRequest = (pool: Pool, random: Random): Draft =>
  requestFor(random.pick(...OTHERS), pool, random);

/** Tries to sign in. */
export const signIn = (pool: Pool, random: Random): Draft =>
  requestFor({ method: 'POST', path: '/login', surface: 'open' }, pool, random);

type Route = Pick<Rule, 'method' | 'path' | 'surface'>;

function requestFor({ method, path, surface }: Route, pool: Pool, random: Random): Draft {
  const what = `${method} ${path}`;
  const params = paramsFor(path, pool, random);
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encoded(params[name] ?? ''));
  const known = ASKED[what] ?? [];
  const query = known
    .filter(() => random.chance(0.3))
    .map((name): Pair => [name, encoded(valueFor(name, what, pool, random))]);
  const headers = headersFor(surface, method, random);
  const made = { ...draft(what, method, filled), params, query, known, headers };
  if (method !== 'POST') return made;
  if (surface === 'triggers') return trigger(made, random);
  return withForm(made, FORMS[what] ?? [], pool, random);
}

function headersFor(surface: Rule['surface'], method: string, random: Random): readonly Pair[] {
  const headers: Pair[] = [];
  if (surface === 'pages' && random.chance(0.5)) headers.push(['HX-Request', 'true']);
  if (method === 'GET' || random.chance(0.7)) headers.push(['Accept', 'text/html']);
  return headers;
}

function paramsFor(path: string, pool: Pool, random: Random): Record<string, string> {
  if (path.includes('/last/')) {
    const { job: name, run } = pool.lastRuns.pick(random) ?? { job: 'plain', run: word(random) };
    return { name, run };
  }
  if (path.includes('/backfills/')) {
    const { job: name, id } = pool.backfills.pick(random) ?? { job: 'past', id: word(random) };
    return { name, id };
  }
  if (path.includes(':file')) return { file: pool.assets.pick(random)?.slice(8) ?? 'app.css' };
  if (path.endsWith('/backfill') && random.chance(0.7)) return { name: 'past' };
  if (path.includes(':name')) return { name: pool.names.pick(random) ?? 'plain' };
  if (!path.includes(':id')) return {};
  const living = /\/(?:cancel|free)$/.test(path) ? pool.runs.pick(random, isLiving) : undefined;
  return { id: (living ?? pool.runs.pick(random))?.id ?? `plain!${word(random)}` };
}

/** Mostly what the field is for. */
function valueFor(name: string, what: string, pool: Pool, random: Random): string {
  if (random.chance(0.25)) return oddText(random);
  switch (name) {
    case 'tag':
      return pool.tags.pick(random) ?? 'calm';
    case 'state':
      return random.pick('failed', 'running', 'problem', 'live', 'paused', 'succeeded');
    case 'page':
      return String(random.below(5));
    case 'trigger':
      return random.pick('manual', 'schedule', 'backfill');
    case 'since':
      return random.pick('2d', '1h', '2026-01-01', 'yesterday');
    case 'until':
      return random.pick('2099-01-01T00:00', '1h', '2026-01-01');
    case 'q':
      return random.pick('job:echo', 'state:failed fz7', 'trigger:backfill since:2d', '"a b"');
    case 'cursor':
      return pool.cursors.get(what)?.pick(random) ?? word(random);
    case 'asOf':
      return new Date(pool.now - (pool.now % 60_000)).toISOString();
    case 'from':
      return what.includes('backfill') ? '2011-01-01T00:00' : (pool.runs.pick(random)?.id ?? '');
    case 'to':
      return '2021-01-01T00:00';
    case 'as':
      return random.pick('fields', 'json');
    case 'level':
      return random.pick('debug', 'info', 'warn', 'error');
    case 'before':
    case 'after':
      return pool.places.pick(random) ?? '0.10';
    default:
      return fieldFor(name, pool, random);
  }
}

function fieldFor(name: string, pool: Pool, random: Random): string {
  switch (name) {
    case 'hours':
      return random.pick('6', '24', '72');
    case 'job':
    case 'name':
      return pool.names.pick(random) ?? 'plain';
    case 'by':
      return random.pick('people', 'service', 'an operator');
    case 'schedule':
      return random.pick(
        '0 2 * * *',
        '*/5 * * * *',
        'H H * * 1-5',
        '@daily',
        '0 0 30 2 *',
        '61 * *',
      );
    case 'timeZone':
      return random.pick('UTC', 'Europe/London', 'America/St_Johns', 'Mars/Base');
    case 'token':
      return pool.tokens.pick(random) ?? word(random);
    case 'next':
      return random.pick('/', '/runs?q=a', '//elsewhere.example', '/\\elsewhere.example', '/login');
    case 'json':
      return random.pick('{}', '{"text":"a"}', '{"count":51}', '[', '{"text":"a","text":"b"}');
    case 'key':
      return word(random);
    case 'overlap':
      return 'allow';
    case 'lasts':
      return random.pick('', '1h', '1d', 'until', 'never');
    case 'input.count':
      return String(random.below(60));
    case 'input.mode':
      return random.pick('new', 'all');
    default:
      return word(random);
  }
}

function withForm(one: Draft, fields: readonly string[], pool: Pool, random: Random): Draft {
  const sent = fields
    .filter(() => random.chance(0.7))
    .map((name) => `${encoded(name)}=${encoded(valueFor(name, one.what, pool, random))}`);
  if (sent.length === 0 && random.chance(0.5)) return one;
  const type: Pair = ['Content-Type', 'application/x-www-form-urlencoded'];
  return { ...one, headers: [...one.headers, type], body: Buffer.from(sent.join('&')) };
}

/** Nothing in it decides anything, so it may have whatever it likes. */
function trigger(one: Draft, random: Random): Draft {
  const headers: Pair[] = [...one.headers];
  if (random.chance(0.5)) headers.push(['X-CloudScheduler', 'true']);
  if (random.chance(0.5)) headers.push(['X-CloudScheduler-ScheduleTime', '9999-12-31T23:59:59Z']);
  if (random.chance(0.2)) headers.push(['X-Appengine-Cron', 'true']);
  if (random.chance(0.2)) headers.push(['X-CloudTasks-QueueName', 'runs']);
  const json = random.chance(0.5)
    ? undefined
    : { scheduledAt: '1970-01-01T00:00:00Z', job: 'echo' };
  return { ...one, headers, json };
}

const STRAY: readonly string[] = [
  '/admin',
  '/.env',
  '/.git/config',
  '/metrics/',
  '/healthz/x',
  '/robots.txt',
  '/wp-login.php',
  '/assets/../package.json',
  '/assets/%2e%2e/package.json',
  '/assets/app.js',
  '/assets/',
  '/API/V1/JOBS',
  '/api',
  '/api/v2/jobs',
  '/api/v1/',
  '/api/v1//jobs',
  '/api/v1/jobs/%zz',
  '/jobs',
  '/jobs/',
  '/jobs/echo/',
  '/jobs/echo/runs/x',
  '/runs/%00',
  '/triggers',
  '/_ah/start',
  '/%',
  '/%ff%fe',
  '/;jsessionid=1',
  '/a?b?c',
  '/api/v1/jobs/echo%2Fruns',
  '/api/v1/jobs/..',
];

/** A path that nobody has told of, or one that is nearly one that is there. */
export function strayRequest(random: Random): Draft {
  const path = random.pick(
    ...STRAY,
    `/${encoded(oddText(random))}`,
    `/api/v1/${encoded(oddText(random))}`,
    `/${'a/'.repeat(random.pick(10, 1000))}`,
    `/${'x'.repeat(random.pick(100, 5000, 20_000))}`,
  );
  const method = random.pick('GET', 'GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH');
  return draft('(no route)', method, path);
}
