import { Random } from '../simulation/random.ts';
import type { Caller } from './callers.ts';
import { draft, headersOf, targetOf, valuesOf, type Draft } from './draft.ts';
import { mutated, type World } from './mutations.ts';
import { rightRequest, type Operation } from './operations.ts';
import { otherRequest, signIn, strayRequest } from './pages.ts';
import type { Pool } from './pool.ts';
import { rawScript, type Script } from './raw.ts';

/** What is sent next, and by whom. The same seed, number and pool give the same. */
export type Plan =
  | { readonly kind: 'requests'; readonly drafts: readonly Draft[]; readonly caller: Caller }
  | { readonly kind: 'script'; readonly script: Script; readonly caller: Caller };

/** What there is to make requests of, at one server. */
export interface Material {
  readonly host: string;
  readonly callers: readonly Caller[];
  readonly operations: readonly Operation[];
  readonly pool: Pool;
  readonly foreign: Pool;
}

/** What chance alone decides at a number; which server is asked is decided by it, too. */
export const chanceAt = (seed: string, index: number): Random => new Random(`${seed}/${index}`);

/** So many of one kind come at the same time. */
const BURST = 6;

export function planNext(material: Material, random: Random): Plan {
  const { callers, host } = material;
  const caller = pickCaller(callers, random);
  const share = random.next();
  if (share < 0.1) {
    const credentials = credentialsOf(caller, host);
    return { kind: 'script', script: rawScript({ credentials, random }), caller };
  }
  if (share < 0.14) {
    const first = makeRequest(material, caller, random);
    const others = Array.from({ length: 1 + random.below(BURST) }, () =>
      random.chance(0.6) ? first : makeRequest(material, caller, random),
    );
    return { kind: 'requests', drafts: [first, ...others], caller };
  }
  return { kind: 'requests', drafts: [makeRequest(material, caller, random)], caller };
}

function pickCaller(callers: readonly Caller[], random: Random): Caller {
  return random.pick(...callers.flatMap((one) => Array.from({ length: one.weight }, () => one)));
}

/** The lines of a head that a caller is known by, for what is said by hand. */
const credentialsOf = (caller: Caller, host: string): string =>
  headersOf(caller.sign(BARE, host), host)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

const BARE = draft('', 'GET', '/');

function makeRequest(material: Material, caller: Caller, random: Random): Draft {
  const { pool, foreign, host } = material;
  const world: World = { pool, foreign, random };
  const signsIn = caller.name === 'visitor' && random.chance(0.3);
  const right = signsIn ? signIn(pool, random) : rightOne(material, random);
  const change = (one: Draft): Draft => (random.chance(0.5) ? mutated(one, world) : one);
  // Whoever has rights may lose them by what is done to the request; nobody must gain any.
  const mayLose = caller.may === 'everything' || caller.may === 'some-jobs';
  return mayLose ? change(caller.sign(right, host)) : caller.sign(change(right), host);
}

function rightOne({ operations, pool }: Material, random: Random): Draft {
  const share = random.next();
  if (share < 0.72) {
    const changing = operations.filter(({ method }) => method !== 'GET');
    return rightRequest(random.pick(...operations, ...changing), pool, random);
  }
  if (share < 0.96) return otherRequest(pool, random);
  return strayRequest(random);
}

/** How long an answer may be waited for that itself waits for something, in ms; null for any. */
export function leaveAfter(one: Draft, random: Random): number | null {
  const prefers = valuesOf(one, 'Prefer').join();
  const [, wait = '0'] = /wait\s*=\s*"?(\d+)/i.exec(prefers) ?? [];
  const [, follow = '0'] = /[?&]follow=(\d+)/.exec(targetOf(one)) ?? [];
  const longest = Math.max(Number(wait), Number(follow));
  if (longest === 0) return null;
  return longest === 1 && random.chance(0.1) ? null : WAITS_MS;
}

const WAITS_MS = 150;
