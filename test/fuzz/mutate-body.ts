import type { Random } from '../simulation/random.ts';
import { bodyOf, withHeader, type Draft } from './draft.ts';
import type { Mutation } from './mutations.ts';
import { oddJson, oddText } from './values.ts';

const KB = 1024;
/** As long as a body may be. */
const LIMIT = 64 * KB;

type Path = readonly (string | number)[];

/** Every place in a value, its whole first. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inner.flatMap(([key, one]) => placesIn(one, [...path, key]))];
}

/** JSON text of a value with other text in one place. */
function replaced(value: unknown, [step, ...rest]: Path, text: string): string {
  if (step === undefined) return text;
  if (Array.isArray(value)) {
    const items = value.map((one, i) => (i === step ? replaced(one, rest, text) : textOf(one)));
    return `[${items.join(',')}]`;
  }
  const fields = Object.entries(Object(value)).map(
    ([key, one]) =>
      `${JSON.stringify(key)}:${key === step ? replaced(one, rest, text) : textOf(one)}`,
  );
  return `{${fields.join(',')}}`;
}

const textOf = (value: unknown): string => JSON.stringify(value) ?? 'null';

/** The same with a text of its own for a body, which still says that it is JSON. */
const withText = (one: Draft, text: string | Buffer): Draft => ({
  ...(one.headers.some(([name]) => /^content-type$/i.test(name))
    ? one
    : withHeader(one, 'Content-Type', 'application/json')),
  json: undefined,
  body: Buffer.isBuffer(text) ? text : Buffer.from(text),
});

const current = (one: Draft): Buffer => bodyOf(one) ?? Buffer.from('{}');

/** JSON text of an object with a field more. */
function withField(one: Draft, field: string): Draft {
  const text = current(one).toString().trimEnd();
  const isEmpty = /^\{\s*\}$/.test(text);
  return withText(one, `${text.slice(0, -1)}${isEmpty ? '' : ','}${field}}`);
}

/** At one place of a body that is still JSON. */
const inPlace =
  (make: (random: Random) => string): Mutation =>
  (one, { random }) => {
    const { json } = one;
    if (json === undefined) return undefined;
    const place = random.pick<Path>(...placesIn(json));
    return withText(one, replaced(json, place, make(random)));
  };

export const BODY_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'value of another kind': inPlace(oddJson),
  'another value': inPlace(oddJson),
  'odd text': inPlace((random) => JSON.stringify(oddText(random))),

  'field gone': (one, { random }) => {
    const { json } = one;
    const keys = Object.keys(Object(json));
    if (keys.length === 0) return undefined;
    const gone = random.pick(...keys);
    const rest = Object.entries(Object(json)).filter(([key]) => key !== gone);
    return { ...one, json: Object.fromEntries(rest) };
  },

  'field more': (one, { random }) => {
    const name = random.pick('Input', 'overlaps', '__proto__', 'constructor', 'prototype', 'note');
    const key = random.chance(0.5) ? name : oddText(random);
    return withField(one, `${JSON.stringify(key)}:${oddJson(random)}`);
  },

  'field twice': (one, { random }) => {
    const keys = Object.keys(Object(one.json));
    const key = keys.length === 0 ? 'overlap' : random.pick(...keys);
    return withField(one, `${JSON.stringify(key)}:${oddJson(random)}`);
  },

  'many fields': (one, { random }) => {
    const fields = Array.from({ length: random.pick(50, 2000) }, (_, i) => `"f${i}":${i}`);
    return withField(one, fields.join(','));
  },

  'whole value': (one, { random }) => withText(one, oddJson(random)),

  cut: (one, { random }) => {
    const text = current(one);
    return withText(one, text.subarray(0, random.below(text.length)));
  },

  'bytes around': (one, { random }) => {
    const text = current(one).toString('latin1');
    const made = random.pick(
      `\u00ef\u00bb\u00bf${text}`,
      ` \n\t${text}\r\n`,
      `${text}${text}`,
      `${text}x`,
      `\0${text}`,
      `)]}',\n${text}`,
      `${text},`,
      `/**/${text}`,
      `\u00ff\u00fe${text}`,
      `${text}\u00a0`,
    );
    return withText(one, Buffer.from(made, 'latin1'));
  },

  'bytes within': (one, { random }) => {
    const bytes = Buffer.from(current(one));
    for (let n = 0; n < 1 + random.below(3); n++) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    return withText(one, bytes);
  },

  long: (one, { random }) => {
    const text = current(one);
    const length = LIMIT + random.pick(-1, 0, 1, 2, 4 * KB, 200 * KB);
    return withText(
      one,
      Buffer.concat([text, Buffer.alloc(Math.max(0, length - text.length), ' ')]),
    );
  },

  'other content': (one, { random }) => {
    const body = random.pick('a=b&input=1', '<a/>', 'null', '', '--x\r\n\r\n--x--', 'a: 1');
    return { ...one, json: undefined, body: Buffer.from(body) };
  },
};
