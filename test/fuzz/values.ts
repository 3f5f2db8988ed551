import type { Random } from '../simulation/random.ts';
import { LIVE, LIVELY, SECRET } from './canary.ts';
import { bytesOf } from './draft.ts';

/** Values that are right by a schema, and values that would be right nowhere. */

/** Instants at the edges of calendars, clocks and formats; few of them are taken. */
export const ODD_INSTANTS: readonly string[] = [
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '+010000-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '-000001-01-01T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-01T24:00:00Z',
  '2026-03-29T01:30:00+01:00',
  '2026-01-01T00:00:00+99:99',
  '2026-01-01T00:00:00-00:00',
  '2026-01-01t00:00:00z',
  '2026-01-01T00:00:00',
  '2026-01-01',
  '2026-01-01T00:00:00.123456789Z',
  '20260101T000000Z',
  '1767225600000',
  '-1',
  'now',
];

const ODD_WORDS: readonly string[] = [
  '',
  ' ',
  '\t',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '../../../../etc/passwd',
  '..\\..\\punctual.db',
  '%2e%2e%2f%2e%2e%2f',
  '%00',
  '.',
  '..',
  'null',
  'undefined',
  'NaN',
  'true',
  '-1',
  '0',
  '1e400',
  '0x10',
  '9'.repeat(30),
  '-9007199254740993',
  '[object Object]',
  "'; DROP TABLE runs; --",
  '\u0000',
  'a\u0000b',
  '\ud800',
  'a\udc00b',
  '\ufeffecho',
  '\u0435cho',
  '\uff45cho',
  'ECHO',
  'e\u0301cho',
  '\u{1f4a9}'.repeat(20),
  '\u202egpj.exe',
  'job:echo state:failed since:2d "open',
  '(((((a+)+)+)+)+)$',
  '*',
  '%',
  '${jndi:ldap://x}',
  'a,b,,c',
  'a=b&c=d;e',
];

/** A text that somebody should look at twice. */
export function oddText(random: Random): string {
  const kind = random.below(10);
  if (kind < 4) return random.pick(...ODD_WORDS);
  if (kind < 7) return random.pick(...LIVELY);
  if (kind === 7) return random.pick(...ODD_INSTANTS);
  if (kind === 8) return random.pick('a', 'é', '"', '<', '\\').repeat(random.pick(100, 256, 2000));
  return noise(random, 1 + random.below(40));
}

/** Signs from all over Unicode. */
const noise = (random: Random, length: number): string =>
  Array.from({ length }, () =>
    String.fromCharCode(random.chance(0.5) ? random.below(0x80) : random.below(0x10000)),
  ).join('');

/** The same as bytes of a line of HTTP: no line ends, which are for those who write it by hand. */
export const oddLine = (random: Random): string =>
  bytesOf(oddText(random)).replaceAll(/[\r\n]/g, ' ');

/** A word of letters that nobody has used before. */
export const word = (random: Random): string =>
  Array.from({ length: 12 }, () => String.fromCharCode(97 + random.below(26))).join('');

/** JSON text of a value that is no right one in most places. */
export function oddJson(random: Random): string {
  const depth = random.pick(20, 65, 500, 10_000);
  return random.pick<() => string>(
    () => JSON.stringify(oddText(random)),
    () => random.pick('null', 'true', '[]', '{}', '""', '-0', '0', '1.5', '-1', '1e400', '-1e999'),
    () => random.pick('9007199254740993', '1e308', '5e-324', '51', '1E2', '01', '+1', '.5', '0x1'),
    () => random.pick('NaN', 'Infinity', 'undefined', "'a'", '/**/1', 'tru', '"', '"\\x"', '"\n"'),
    () => random.pick('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', `"\\u003cscript>${LIVE}()"`),
    () => random.pick('{"a":1,"a":2}', '{"__proto__":{"admin":true}}', '{"constructor":1}'),
    () => '['.repeat(depth) + ']'.repeat(depth),
    () => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
    () => JSON.stringify(Array.from({ length: 300 }, (_, i) => i)),
    () =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${LIVE}${i}`, i]))),
    () => JSON.stringify('x'.repeat(random.pick(201, 5000, 60_000))),
  )();
}

type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

const DEEPEST = 5;

/** A value that a schema allows, of those kinds of schema that there are in the API. */
export function rightFor(schema: unknown, random: Random, depth = 0): unknown {
  if (!isSchema(schema) || depth > DEEPEST) return null;
  const { enum: words, const: only, anyOf, oneOf, allOf, examples } = schema;
  if (only !== undefined) return only;
  if (Array.isArray(words)) return random.pick<unknown>(...words);
  for (const several of [anyOf, oneOf, allOf]) {
    if (Array.isArray(several)) return rightFor(random.pick<unknown>(...several), random, depth);
  }
  if (Array.isArray(examples) && random.chance(0.3)) return random.pick<unknown>(...examples);
  switch (schema['type']) {
    case 'string':
      return textFor(schema, random);
    case 'integer':
    case 'number':
      return numberFor(schema, random);
    case 'boolean':
      return random.chance(0.5);
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: random.below(4) }, () =>
        rightFor(schema['items'], random, depth + 1),
      );
    default:
      return objectFor(schema, random, depth);
  }
}

function textFor({ format, minLength, maxLength, writeOnly, ...more }: Schema, random: Random) {
  if (format === 'date-time') return new Date(random.between(1.6e12, 1.75e12)).toISOString();
  const isSecret = writeOnly === true || more['secret'] === true;
  if (isSecret) return SECRET + word(random);
  const least = typeof minLength === 'number' ? minLength : 0;
  const most = typeof maxLength === 'number' ? maxLength : 60;
  const text = random.chance(0.3) ? random.pick(...LIVELY) : word(random);
  // At the edges of what is allowed, more often than chance would have it.
  const length = random.chance(0.2) ? random.pick(least, most) : Math.min(text.length, most);
  return text.slice(0, length).padEnd(Math.max(least, length), 'é');
}

function numberFor({ minimum, maximum, type }: Schema, random: Random): number {
  const least = typeof minimum === 'number' ? minimum : 0;
  const most = typeof maximum === 'number' ? maximum : 100;
  if (random.chance(0.2)) return random.pick(least, most);
  const value = random.between(least, most);
  return type === 'integer' ? Math.floor(value) : value;
}

function objectFor(schema: Schema, random: Random, depth: number): unknown {
  const { properties, required } = schema;
  if (!isSchema(properties)) return { [word(random)]: random.below(10) };
  const needed = Array.isArray(required) ? required : [];
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => needed.includes(name) || random.chance(0.5))
      .map(([name, inner]) => [name, rightFor(inner, random, depth + 1)]),
  );
}
