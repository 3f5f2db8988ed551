import type { Random } from '../simulation/random.ts';
import { LIVE } from './canary.ts';
import { ODD_CHUNKS, ODD_HEADERS, ODD_LINES, ODD_STRANGE } from './odd-lines.ts';
import { oddLine, word } from './values.ts';

/*
 * What is said to a socket by hand: requests that are none, or two, or half of one. Texts are
 * Latin-1, one byte each.
 */

export type Step =
  | { readonly say: string }
  | { readonly pauseMs: number }
  /** No more is said from here, but the answer is still waited for. */
  | 'half-close'
  /** Gone without a word. */
  | 'vanish';

export interface Script {
  readonly what: string;
  readonly steps: readonly Step[];
  /** More answers than this would be to a request that nobody has sent. */
  readonly answersAtMost: number;
}

const KB = 1024;
const JSON_HEAD = 'Content-Type: application/json\r\n';
const RUNS = '/api/v1/jobs/plain/runs';

export interface Saying {
  /** Lines of a head: the host, and what somebody is known by. */
  readonly credentials: string;
  readonly random: Random;
}

const get = (path: string, more: string): string => `GET ${path} HTTP/1.1\r\n${more}\r\n`;

const post = (path: string, head: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${JSON_HEAD}${head}\r\n${body}`;

type Telling = (saying: Saying) => Omit<Script, 'what'>;

/** One thing said, and then whatever comes is waited for. */
const once =
  (make: (saying: Saying) => string, answersAtMost = 1): Telling =>
  (saying) => ({ steps: [{ say: make(saying) }], answersAtMost });

const LINES: Telling = once(({ random, credentials }) => {
  const line = random.pick(
    ...ODD_LINES,
    `${word(random).repeat(2000)} / HTTP/1.1`,
    `GET /${oddLine(random)} HTTP/1.1`,
    oddLine(random),
  );
  return `${line}\r\n${credentials}\r\n`;
});

const HEADERS: Telling = once(({ random, credentials }) => {
  const odd = random.pick(
    ...ODD_HEADERS,
    `X: ${'x'.repeat(random.pick(15, 17, 100) * KB)}`,
    `${word(random).repeat(2000)}: a`,
    Array.from({ length: random.pick(98, 101, 2001) }, (_, i) => `X${i}: ${i}`).join('\r\n'),
    `X: ${oddLine(random)}`,
  );
  return `GET /api/v1/jobs HTTP/1.1\r\n${credentials}${odd}\r\n\r\n`;
});

const CHUNKS: Telling = once(({ random, credentials }) => {
  const body = random.pick(
    ...ODD_CHUNKS,
    `2;${'a'.repeat(random.pick(100, 20 * KB))}\r\n{}\r\n0\r\n\r\n`,
    `2\r\n{}\r\n0\r\nX: ${'a'.repeat(20 * KB)}\r\n\r\n`,
    `${'1\r\n \r\n'.repeat(5000)}2\r\n{}\r\n0\r\n\r\n`,
    `${(70 * KB).toString(16)}\r\n${' '.repeat(70 * KB)}\r\n0\r\n\r\n`,
  );
  return post(RUNS, `${credentials}Transfer-Encoding: chunked\r\n`, body);
});

/** Two requests where one ends, to one reader, and goes on to the next. */
const SMUGGLED: Telling = once(({ random, credentials }) => {
  const inner = get(`/${LIVE}`, 'Host: a\r\n');
  return random.pick(
    post(
      RUNS,
      `${credentials}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
      `0\r\n\r\n${inner}`,
    ),
    post(
      RUNS,
      `${credentials}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`,
      `0\r\n\r\n${inner}`,
    ),
    post(RUNS, `${credentials}Content-Length: 2\r\nContent-Length: 60\r\n`, `{}${inner}`),
    post(RUNS, `${credentials}Transfer-Encoding: xchunked\r\n`, `0\r\n\r\n${inner}`),
    post(RUNS, `${credentials}Transfer-Encoding: chunked, identity\r\n`, `0\r\n\r\n${inner}`),
    `GET /healthz HTTP/1.1\nHost: a\n\n${inner}`,
    `GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n\r${inner}`,
  );
}, 2);

const PIPELINED: Telling = ({ random, credentials }) => {
  const count = 2 + random.below(8);
  const all = Array.from({ length: count }, () =>
    random.pick(
      get('/healthz', 'Host: a\r\n'),
      get('/api/v1/jobs?limit=1', credentials),
      get('/api/v1/openapi.json', credentials),
      get('/', credentials),
      post(RUNS, `${credentials}Content-Length: 2\r\n`, '{}'),
      post(RUNS, `${credentials}Content-Length: 1\r\n`, '{'),
    ),
  );
  const end = random.pick(
    '',
    '\r\n',
    'garbage\r\n\r\n',
    'GET',
    '\u0016\u0003\u0001',
    'PRI * HTTP/2.0',
  );
  return { steps: [{ say: all.join('') + end }], answersAtMost: count + 1 };
};

/** Said bit by bit; whoever listens must put it together again. */
const SPLIT: Telling = ({ random, credentials }) => {
  const whole = post(RUNS, `${credentials}Content-Length: 13\r\n`, '{"overlap":1}');
  const steps: Step[] = [];
  for (let at = 0; at < whole.length;) {
    const next = at + 1 + random.below(60);
    steps.push({ say: whole.slice(at, next) }, { pauseMs: random.below(2) });
    at = next;
  }
  return { steps, answersAtMost: 1 };
};

/** Begun, and not ended. */
const HALF: Telling = ({ random, credentials }) => {
  const whole = random.pick(
    post(RUNS, `${credentials}Content-Length: 100\r\n`, '{"input":'),
    post(RUNS, `${credentials}Content-Length: 100\r\nExpect: 100-continue\r\n`, ''),
    post(RUNS, `${credentials}Transfer-Encoding: chunked\r\n`, '64\r\n{"input"'),
    post('/triggers/tick', `${credentials}Content-Length: 100\r\n`, '{'),
    get('/api/v1/jobs', credentials),
  );
  const said = whole.slice(0, 1 + random.below(whole.length - 1));
  return {
    steps: [{ say: said }, { pauseMs: random.below(5) }, random.pick('half-close', 'vanish')],
    answersAtMost: 1,
  };
};

/** Asked whole, and then not there to hear the answer. */
const GONE: Telling = ({ random, credentials }) => {
  const whole = random.pick(
    get('/api/v1/openapi.json', credentials),
    get('/api/v1/runs?limit=500', credentials),
    get('/timeline', credentials),
    get('/api/v1/docs', credentials),
    post(RUNS, `${credentials}Content-Length: 2\r\nPrefer: wait=60\r\n`, '{}'),
    post('/api/v1/jobs/holds/runs', `${credentials}Content-Length: 2\r\nPrefer: wait=60\r\n`, '{}'),
    `${get('/', credentials).repeat(20)}`,
  );
  const pauses = random.chance(0.5) ? [{ pauseMs: random.below(10) }] : [];
  return { steps: [{ say: whole }, ...pauses, 'vanish'], answersAtMost: 20 };
};

/** Of another protocol. */
const STRANGE: Telling = ({ random }) => {
  const say = random.pick(
    ...ODD_STRANGE,
    Array.from({ length: 300 }, () => String.fromCharCode(random.below(256))).join(''),
  );
  return { steps: [{ say }, 'half-close'], answersAtMost: 1 };
};

/** Line ends where a value should be, in whatever is later put into a head or a log. */
const LINE_ENDS: Telling = once(({ random, credentials }) => {
  const inner = random.pick('\r\nX-Injected: 1', '%0d%0aX-Injected:%201', '\nX-Injected: 1', '\r');
  return random.pick(
    get(`/jobs/plain${inner}`, credentials),
    get(`/login?next=/${inner}`, credentials),
    post(RUNS, `${credentials}Idempotency-Key: a${inner}\r\nContent-Length: 2\r\n`, '{}'),
    post(RUNS, `${credentials}traceparent: a${inner}\r\nContent-Length: 2\r\n`, '{}'),
    get(`/runs/plain!a${inner}/log.txt`, credentials),
  );
}, 2);

const TELLINGS: Readonly<Record<string, Telling>> = {
  lines: LINES,
  headers: HEADERS,
  chunks: CHUNKS,
  smuggled: SMUGGLED,
  pipelined: PIPELINED,
  split: SPLIT,
  half: HALF,
  gone: GONE,
  strange: STRANGE,
  'line ends': LINE_ENDS,
};

export function rawScript(saying: Saying): Script {
  const [what, tell] = saying.random.pick(...Object.entries(TELLINGS));
  return { what: `raw: ${what}`, ...tell(saying) };
}

/** What is begun and left at that, until the server has had enough of it. */
export const STALLED: readonly string[] = [
  '',
  'GET /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n',
  post(RUNS, 'Host: 127.0.0.1\r\nContent-Length: 100\r\n', '{'),
  post(RUNS, 'Host: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n', '64\r\n{'),
];
