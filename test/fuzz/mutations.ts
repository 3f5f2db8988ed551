import type { Random } from '../simulation/random.ts';
import { SECRET } from './canary.ts';
import { bodyOf, bytesOf, encoded, type Draft, type Pair } from './draft.ts';
import { BODY_MUTATIONS } from './mutate-body.ts';
import { HEADER_MUTATIONS, isChunked } from './mutate-headers.ts';
import type { Pool } from './pool.ts';
import { ODD_INSTANTS, oddText, word } from './values.ts';

/** What a request is made of besides chance. */
export interface World {
  readonly pool: Pool;
  /** Of another server: what is right there is right nowhere here. */
  readonly foreign: Pool;
  readonly random: Random;
}

/** Makes a request wrong, or at least unusual; undefined where it can't do that to this one. */
export type Mutation = (one: Draft, world: World) => Draft | undefined;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

/** Asks for something that its route knows by a value that it does not. */
function asked(one: Draft, { random }: World): Draft | undefined {
  if (one.known.length === 0) return undefined;
  const name = random.pick(...one.known);
  const rest = one.query.filter(([other]) => other !== name);
  return { ...one, query: [...rest, [name, odd(random)]] };
}

const ADDRESS_MUTATIONS: Readonly<Record<string, Mutation>> = {
  method: (one, { random }) => ({ ...one, method: random.pick(...METHODS) }),

  'path part': (one, world) => {
    const parts = one.path.split('/');
    // A secret must not get to a job that does not know it for one.
    if (parts.length < 3 || (bodyOf(one)?.includes(SECRET) ?? false)) return undefined;
    parts[2 + world.random.below(parts.length - 2)] = oddPart(world);
    return { ...one, path: parts.join('/') };
  },

  'path shape': (one, { random }) => {
    const { path } = one;
    const made = random.pick(
      ...[
        [`${path}/`, `${path}//`, `${path}/x`, `${path};v=1`, `${path}%20`, `${path}/..`],
        [path.toUpperCase(), path.slice(0, -1), path.replace('/', '/./'), `${path}%00`],
        [path.replace(/\/(\w)/, (_, sign: string) => `/${hex(sign)}`), `${path}.json`],
      ].flat(),
    );
    return { ...one, path: made.startsWith('/') ? made : `/${made}` };
  },

  'query value': asked,
  'another query value': asked,

  'query name twice': (one, { random }) => {
    if (one.query.length === 0) return undefined;
    return { ...one, query: [...one.query, random.pick<Pair>(...one.query)] };
  },

  'query name': (one, { random }) => {
    const known = ['limit', 'cursor', 'job', 'state', 'since', 'until', 'format', 'follow', 'q'];
    const name = random.pick(...known, '__proto__', 'constructor', 'a[b]', 'a[]', '', odd(random));
    return { ...one, query: [...one.query, [name, odd(random)]] };
  },

  'many names': (one, { random }) => {
    const many = Array.from({ length: random.pick(30, 1001) }, (_, i): Pair => [`n${i}`, `${i}`]);
    return { ...one, query: [...one.query, ...many] };
  },

  cursor: (one, world) => {
    const rest = one.query.filter(([name]) => name !== 'cursor');
    return { ...one, query: [...rest, ['cursor', encoded(oddCursor(world))]] };
  },

  instant: (one, { random }) => {
    const rest = one.query.filter(([name]) => name !== 'since' && name !== 'until');
    const name = random.pick('since', 'until', 'from', 'asOf');
    return { ...one, query: [...rest, [name, encoded(random.pick(...ODD_INSTANTS))]] };
  },
};

/** By name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...ADDRESS_MUTATIONS,
  ...BODY_MUTATIONS,
  ...HEADER_MUTATIONS,
};

const ADDRESS = Object.entries(ADDRESS_MUTATIONS);
const BODY = Object.entries(BODY_MUTATIONS);
const HEADER = Object.entries(HEADER_MUTATIONS);

/** Does one to three things to a request that was right. */
export function mutated(right: Draft, world: World): Draft {
  const { random } = world;
  const times = 1 + random.below(3);
  let made = right;
  for (let turn = 0; turn < times; turn++) {
    // The length of what comes in chunks stands in it.
    const hasBody = (made.json !== undefined || made.body !== null) && !isChunked(made);
    const kind = random.below(hasBody ? 4 : 2);
    const others = hasBody ? BODY : HEADER;
    const [name, change] = random.pick(...(kind === 0 ? ADDRESS : kind === 1 ? HEADER : others));
    const changed = change(made, world);
    if (changed !== undefined) made = { ...changed, done: [...made.done, name] };
  }
  return made;
}

/** Encoded as it should be, or as it should not. */
function odd(random: Random): string {
  const kind = random.below(8);
  if (kind === 0) return random.pick('%', '%zz', '%ff%fe', '%ed%a0%80', '%00', '%2', '+', '%u0041');
  if (kind === 1) return bytesOf(oddText(random)).replaceAll(/[\s#]/g, '+');
  if (kind === 2) return encoded(encoded(oddText(random)));
  return encoded(oddText(random));
}

function oddPart({ pool, foreign, random }: World): string {
  const ids = [
    pool.runs.pick(random)?.id,
    foreign.runs.pick(random)?.id,
    pool.names.pick(random),
    pool.backfills.pick(random)?.id,
    `plain!${word(random)}`,
    'plain@20260101T000000Z',
    'plain@20260101T000000Z..20260102T000000Z~outage',
    `${'a'.repeat(2048)}`,
  ].filter((id) => id !== undefined);
  return random.chance(0.4) ? encoded(random.pick(...ids)) : odd(random);
}

/** One of another list, of another server, of another build, or of nobody. */
function oddCursor({ pool, foreign, random }: World): string {
  const given = [...pool.cursors.values()].flatMap(({ all }) => all);
  const others = [...foreign.cursors.values()].flatMap(({ all }) => all);
  const known = random.pick('', 'MC4w', ...given, ...others);
  const at = random.below(known.length + 1);
  return random.pick(
    ...[[known, known.slice(0, at), `${known}A`, known.toUpperCase(), known.repeat(30)]].flat(),
    `${known.slice(0, at)}${random.pick('A', '_', '=', '.', '\u0000')}${known.slice(at + 1)}`,
    Buffer.from(oddText(random)).toString('base64url'),
    Buffer.from(JSON.stringify([random.below(9), oddText(random)])).toString('base64url'),
    Buffer.from('{"at":1e400,"id":null}').toString('base64url'),
    Buffer.from(`${'9'.repeat(12)}.${'9'.repeat(12)}.${'x'.repeat(12)}`).toString('base64url'),
    oddText(random),
  );
}

const hex = (sign: string): string => `%${sign.charCodeAt(0).toString(16)}`;
