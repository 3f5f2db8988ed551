import type { Random } from '../simulation/random.ts';
import { LIVE } from './canary.ts';
import { bodyOf, withHeader, type Draft, type Pair } from './draft.ts';
import type { Mutation } from './mutations.ts';
import { oddLine } from './values.ts';

const sets =
  (name: string, ...values: readonly ((random: Random) => string)[]): Mutation =>
  (one, { random }) =>
    withHeader(one, name, random.pick(...values)(random));

/** One of some values, or one that is odd anywhere. */
const oneOf = (name: string, ...values: readonly string[]): Mutation =>
  sets(name, oddLine, ...values.map((value) => () => value));

const adds =
  (make: (random: Random) => Pair): Mutation =>
  (one, { random }) => ({ ...one, headers: [...one.headers, make(random)] });

/** Of nobody: it only ever takes rights away from who has some. */
const NO_CREDENTIALS: readonly string[] = [
  'Bearer',
  'Bearer ',
  'Bearer pun_aaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'Bearer a b',
  'bearer x',
  'Basic YTpi',
  'Digest username="a"',
  'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.',
  `Bearer ${'x'.repeat(4000)}`,
];

const TYPES: readonly string[] = [
  'application/json; charset=utf-16',
  'application/json;charset="UTF-8"',
  'application/json; charset=utf8; charset=latin1',
  'Application/JSON',
  'application/vnd.api+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/html',
  'application/json, text/plain',
  'json',
  '',
];

const WISHES: readonly string[] = [
  'wait=0',
  'wait',
  'wait=',
  'wait=-1',
  'wait=1e3',
  'wait=0x10',
  'wait="1"',
  'WAIT=0',
  'wait=999999999',
  'respond-async, wait=0;x=y',
  'wait=1, wait=0',
  ',;,;wait=0',
];

const LISTS: readonly string[] = [
  'text/html',
  'text/plain',
  'application/json',
  'application/problem+json',
  '*/*;q=0',
  'image/*',
  'text/html;q=1e400, */*;q=-1',
  Array.from({ length: 200 }, (_, i) => `a/b${i};q=0.${i}`).join(','),
  '',
];

export const HEADER_MUTATIONS: Readonly<Record<string, Mutation>> = {
  accept: oneOf('Accept', ...LISTS),
  'content type': oneOf('Content-Type', ...TYPES),
  'content encoding': oneOf('Content-Encoding', 'gzip', 'br', 'identity', 'identity, gzip', 'x'),
  prefer: oneOf('Prefer', ...WISHES),
  key: oneOf(
    'Idempotency-Key',
    '',
    ' ',
    'a',
    'x'.repeat(255),
    'x'.repeat(300),
    '"quoted"',
    '\u00e9',
  ),
  'key twice': adds((random) => ['Idempotency-Key', random.pick('a', 'b', '')]),
  trace: oneOf(
    'traceparent',
    '00-0-0-00',
    `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
    'ff-x',
    'x'.repeat(3000),
    `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01-more`,
  ),
  'known tag': (one, { pool, random }) => {
    const tag = pool.etags.pick(random) ?? '"x"';
    return withHeader(one, 'If-None-Match', random.pick(tag, `W/${tag}`, '*', `"a", ${tag}`, '"'));
  },
  conditions: adds((random) => [
    random.pick('If-Match', 'If-Modified-Since', 'If-Unmodified-Since', 'If-Range'),
    random.pick('*', '"x"', 'Thu, 01 Jan 1970 00:00:00 GMT', 'yesterday', oddLine(random)),
  ]),
  range: oneOf('Range', 'bytes=0-0', 'bytes=-1', 'bytes=9999999-', 'bytes=0-1,3-4', 'lines=1-2'),
  credentials: oneOf('Authorization', ...NO_CREDENTIALS),
  'credentials twice': adds((random) => ['Authorization', random.pick(...NO_CREDENTIALS)]),
  cookie: sets(
    'Cookie',
    oddLine,
    () => 'punctual-session=x; punctual-session=y',
    () => '__Host-punctual-session=x; punctual-form=',
    () => `punctual-session=abcdefghij.1790000000000.${'a'.repeat(22)}.${'b'.repeat(86)}`,
    () => `${'a=b; '.repeat(1000)}`,
    () => '=;=;;',
  ),
  'cookie more': adds((random) => ['Cookie', random.pick('a=b', 'punctual-form=x', 'punctual-')]),
  origin: oneOf('Origin', 'null', 'https://elsewhere.example', 'http://127.0.0.1', 'http://', '*'),
  site: oneOf('Sec-Fetch-Site', 'cross-site', 'same-site', 'none', 'same-origin', 'SAME-ORIGIN'),
  'form token': oneOf('X-CSRF-Token', '', 'x', 'a'.repeat(16), 'a'.repeat(2000)),
  host: oneOf('Host', 'elsewhere.example', 'localhost', '127.0.0.1:1', '[::1]', '[::1', 'a b', '@'),
  'host twice': adds(() => ['Host', 'localhost']),
  forwarded: adds((random) => [
    random.pick('X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'Via'),
    random.pick('127.0.0.1', 'localhost', 'https', 'for=127.0.0.1', '1.1 a', oddLine(random)),
  ]),
  platform: adds((random) => [
    random.pick(
      'X-Appengine-Cron',
      'X-Appengine-QueueName',
      'X-Appengine-User-IP',
      'X-CloudScheduler',
    ),
    random.pick('true', 'default', '127.0.0.1', oddLine(random)),
  ]),
  'signed by nobody': adds((random) => [
    random.pick('X-Goog-IAP-JWT-Assertion', 'X-Goog-Authenticated-User-Email'),
    random.pick('eyJhbGciOiJub25lIn0.e30.', 'accounts.google.com:ada@example.com', oddLine(random)),
  ]),
  'other method': adds((random) => [
    random.pick('X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'),
    random.pick('DELETE', 'PUT', 'CONNECT', oddLine(random)),
  ]),
  expects: oneOf('Expect', '100-continue', '200-ok', '100-Continue, x'),
  connection: oneOf('Connection', 'close', 'keep-alive', 'Upgrade', 'Host, Authorization', 'TE'),
  upgrade: oneOf('Upgrade', 'websocket', 'h2c', 'TLS/1.2'),
  page: oneOf('HX-Request', 'true', 'false'),
  'page in sight': oneOf('HX-Current-URL', 'http://127.0.0.1/runs?q=a', '/jobs/echo?x', 'x://'),
  many: (one, { random }) => ({
    ...one,
    headers: [...one.headers, ...numbered(random.pick(50, 99, 200))],
  }),
  long: adds((random) => ['X-Long', 'x'.repeat(random.pick(1000, 8000, 17_000, 100_000))]),
  'a name': adds((random) => [random.pick('X-\u00e9', 'X Y', 'X:', '', '__proto__', LIVE), 'a']),
  'a value': adds((random) => ['X-Odd', oddLine(random)]),
  chunked: (one) => {
    const body = bodyOf(one);
    if (body === null) return undefined;
    const parts = [
      `${body.length.toString(16)}\r\n`,
      body,
      body.length === 0 ? '\r\n' : '\r\n0\r\n\r\n',
    ];
    const { headers } = withHeader(one, 'Transfer-Encoding', 'chunked');
    const typed: readonly Pair[] =
      one.json === undefined ? headers : [...headers, ['Content-Type', 'application/json']];
    return { ...one, headers: typed, json: undefined, body: Buffer.concat(parts.map(asBuffer)) };
  },
};

const numbered = (count: number): readonly Pair[] =>
  Array.from({ length: count }, (_, i): Pair => [`X-${i}`, '']);

const asBuffer = (part: string | Buffer): Buffer =>
  typeof part === 'string' ? Buffer.from(part) : part;

/** Whether it changes who a request seems to come from. */
export const isChunked = (one: Draft): boolean =>
  one.headers.some(([name]) => name.toLowerCase() === 'transfer-encoding');
