import { formTokenOf } from '../../server/http/identity/cookies.ts';
import { makeSession } from '../../server/http/identity/session.ts';
import { makeToken, openKey } from '../../server/http/identity/token-key.ts';
import { addToken, revokeToken } from '../../server/http/identity/token-list.ts';
import type { Role } from '../../server/http/caller.ts';
import type { Store } from '../../server/core/store.ts';
import { systemClock } from '../../server/process/clock.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { withHeader, type Draft, type Pair } from './draft.ts';
import { LIMITED_TO } from './jobs.ts';

/** The most that somebody may do here, whatever else stands in a request of theirs. */
export type May = 'everything' | 'look' | 'some-jobs' | 'nothing';

/** Who sends a request, and what makes it known as theirs. */
export interface Caller {
  readonly name: string;
  readonly may: May;
  /** How often it comes by, compared with the others. */
  readonly weight: number;
  /** Puts what it is known by into a request. */
  readonly sign: (one: Draft, host: string) => Draft;
}

const with_ =
  (...pairs: readonly Pair[]) =>
  (one: Draft): Draft =>
    pairs.reduce((made, pair) => withHeader(made, ...pair), one);

const bearing = (text: string): Caller['sign'] => with_(['Authorization', `Bearer ${text}`]);

/** As a browser sends it from a page of the service. */
const fromPage =
  (cookie: string, value: string): Caller['sign'] =>
  (one, host) =>
    with_(
      ['Cookie', `${cookie}=${value}`],
      ['Origin', `http://${host}`],
      ['Sec-Fetch-Site', 'same-origin'],
      ['X-CSRF-Token', formTokenOf(value)],
    )(one);

const A_VISIT = '0123456789abcdefghijkl';

/** Who comes by where nothing is configured: this machine itself, and what only looks like it. */
export const LOCAL_CALLERS: readonly Caller[] = [
  { name: 'owner', may: 'everything', weight: 8, sign: (one) => one },
  { name: 'page', may: 'everything', weight: 4, sign: fromPage('punctual-form', A_VISIT) },
  {
    name: 'other-site',
    may: 'look',
    weight: 1,
    sign: with_(['Origin', 'https://elsewhere.example'], ['Sec-Fetch-Site', 'cross-site']),
  },
  { name: 'other-host', may: 'nothing', weight: 1, sign: with_(['Host', 'elsewhere.example']) },
  {
    name: 'through-a-proxy',
    may: 'nothing',
    weight: 1,
    sign: with_(['X-Forwarded-For', '127.0.0.1'], ['X-Forwarded-Host', 'localhost']),
  },
];

export interface Known {
  readonly callers: readonly Caller[];
  /** Texts of tokens, whether they are still good or not. */
  readonly tokens: readonly string[];
  /** Parts of texts that let somebody in, which nobody else may ever see. */
  readonly secrets: readonly string[];
}

/** Everybody who comes by where tokens are asked for; their tokens are put into the database. */
export async function makeTokenCallers(db: string): Promise<Known> {
  const clock = systemClock;
  const log = (): void => undefined;
  const store = openSqliteStore({ path: db, clock, leaseMs: 90_000, regressionMs: 5000, log });
  try {
    const operator = await tokenIn(store, 'an operator', 'operator', null);
    const viewer = await tokenIn(store, 'a viewer', 'viewer', null);
    const some = await tokenIn(store, 'some jobs', 'operator', LIMITED_TO);
    const gone = await tokenIn(store, 'gone', 'operator', null);
    await revokeToken(store, 'default', 'gone');
    const forged = `${operator.text.slice(0, -4)}AAAA`;
    const { session } = operator;
    const callers: Caller[] = [
      { name: 'operator', may: 'everything', weight: 9, sign: bearing(operator.text) },
      { name: 'viewer', may: 'look', weight: 2, sign: bearing(viewer.text) },
      { name: 'some-jobs', may: 'some-jobs', weight: 3, sign: bearing(some.text) },
      { name: 'revoked', may: 'nothing', weight: 1, sign: bearing(gone.text) },
      { name: 'forged', may: 'nothing', weight: 1, sign: bearing(forged) },
      { name: 'session', may: 'everything', weight: 3, sign: fromPage(COOKIE, session) },
      { name: 'viewer-session', may: 'look', weight: 1, sign: fromPage(COOKIE, viewer.session) },
      {
        name: 'cookie-alone',
        may: 'look',
        weight: 1,
        sign: with_(['Cookie', `${COOKIE}=${session}`]),
      },
      { name: 'old-session', may: 'nothing', weight: 1, sign: fromPage(COOKIE, gone.session) },
      { name: 'visitor', may: 'nothing', weight: 2, sign: fromPage('punctual-form', A_VISIT) },
      { name: 'anonymous', may: 'nothing', weight: 2, sign: (one) => one },
    ];
    const all = [operator, viewer, some, gone];
    const secrets = all.flatMap((one) => [one.text.slice(-43), one.session]);
    return { callers, tokens: all.map(({ text }) => text), secrets };
  } finally {
    await store.close();
  }
}

const COOKIE = 'punctual-session';

/** A token in the store, and a session that was signed in by it. */
async function tokenIn(
  store: Store,
  name: string,
  role: Role,
  jobs: readonly string[] | null,
): Promise<{ readonly text: string; readonly session: string }> {
  const { text, key } = await makeToken();
  const problem = await addToken(store, 'default', { ...key, name, role, jobs, by: 'the fuzzer' });
  const privateKey = await openKey(text, key);
  if (problem !== undefined || privateKey === undefined) throw new Error(problem ?? 'no key');
  return { text, session: makeSession(key, privateKey, systemClock.wall()) };
}
