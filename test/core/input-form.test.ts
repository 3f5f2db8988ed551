import type { StandardSchemaV1 } from '@standard-schema/spec';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { inputForm, type InputField } from '../../server/core/input-form.ts';
import {
  jsonTextOf,
  readJsonText,
  readTexts,
  textsOf,
  textsToShow,
} from '../../server/core/input-texts.ts';

/** A schema that takes anything and describes itself as it is told to. */
function schema(describe: () => unknown): StandardSchemaV1 {
  const jsonSchema = { input: describe, output: describe };
  const props = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const;
  return { '~standard': { ...props, jsonSchema } } as StandardSchemaV1;
}

const formOf = (properties: object, more: object = {}) =>
  inputForm(schema(() => ({ type: 'object', properties, ...more })));

const field = (part: object, more: object = {}): InputField => {
  const found = formOf({ it: part }, more).fields?.[0];
  if (found === undefined) throw new Error('no field');
  return found;
};

describe('a property is asked for by', () => {
  test.each([
    ['text', { type: 'string' }, { kind: 'text', format: null, maxLength: null }],
    ['a date', { type: 'string', format: 'date' }, { kind: 'text', format: 'date' }],
    ['a number', { type: 'number', maximum: 2.5 }, { kind: 'number', whole: false, max: 2.5 }],
    [
      'a whole number without the bounds that every one has',
      { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      { kind: 'number', whole: true, min: 1, max: null },
    ],
    ['a choice', { enum: ['a', 2, null] }, { kind: 'choice', values: ['a', 2, null] }],
    [
      'a choice of constants',
      { anyOf: [{ const: 'a' }, { type: 'number', const: 3 }] },
      { kind: 'choice', values: ['a', 3] },
    ],
    ['lines', { type: 'array', items: { type: 'string' } }, { kind: 'lines', of: 'text' }],
    [
      'lines of numbers',
      { type: 'array', items: { type: 'integer' } },
      { kind: 'lines', of: 'number' },
    ],
    ['a reference', { $ref: '#/$defs/day' }, { kind: 'text', format: 'date' }],
    ['what may be null', { type: ['string', 'null'] }, { kind: 'text', nullable: true }],
    [
      'what may be null, as zod and valibot say it',
      { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      { kind: 'number', whole: true, nullable: true },
    ],
    [
      'a choice that may be null',
      { anyOf: [{ enum: ['a'] }, { type: 'null' }] },
      { kind: 'choice', values: ['a', null] },
    ],
    ['yes or no or nothing', { type: 'boolean' }, { kind: 'choice', values: [true, false] }],
    ['a tick where there is a default', { type: 'boolean', default: true }, { kind: 'flag' }],
    ['JSON for an object', { type: 'object' }, { kind: 'json' }],
    ['JSON for a list of lists', { type: 'array', items: { type: 'array' } }, { kind: 'json' }],
    ['JSON for a union', { anyOf: [{ type: 'string' }, { type: 'number' }] }, { kind: 'json' }],
    ['JSON for what refers to itself', { $ref: '#/$defs/loop' }, { kind: 'json' }],
    ['JSON for nonsense', 'nonsense', { kind: 'json' }],
  ])('%s', (_what, part, expected) => {
    const defs = { day: { type: 'string', format: 'date' }, loop: { $ref: '#/$defs/loop' } };

    expect(field(part as object, { $defs: defs })).toMatchObject(expected);
  });

  test('its title, its description and its default, wherever the schema has them', () => {
    const inner = { type: 'string', title: 'Day', description: 'The first one.' };

    expect(field({ anyOf: [inner, { type: 'null' }], default: 'x' })).toMatchObject({
      label: 'Day',
      description: 'The first one.',
      preset: 'x',
      nullable: true,
    });
    expect(field({ type: 'string' }, { required: ['it'] })).toMatchObject({
      label: 'it',
      description: null,
      preset: undefined,
      required: true,
    });
  });
});

describe('a form is one JSON text', () => {
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`p${i}`, {}]));

  test.each([
    ['of no object', { type: 'array', items: {} }],
    ['of free keys', { type: 'object', properties: { a: {} }, additionalProperties: {} }],
    ['of a union', { anyOf: [{ type: 'object', properties: {} }] }],
    ['of nothing', { type: 'object', properties: {} }],
    ['of too many fields', { type: 'object', properties: many }],
  ])('for a schema %s, which is shown', (_what, described) => {
    const form = inputForm(schema(() => described));

    expect(form.fields).toBeNull();
    expect(JSON.parse(form.schema ?? '')).toEqual(described);
  });

  test.each([
    [
      'says that it can not',
      () => {
        throw new Error('BigInt cannot be represented');
      },
    ],
    ['says nothing', () => undefined],
    ['says what is no schema', () => 'object'],
    [
      'goes in circles',
      () => {
        const loop: Record<string, unknown> = {};
        loop['loop'] = loop;
        return loop;
      },
    ],
  ])('for a schema that %s', (_what, describe) => {
    expect(inputForm(schema(describe))).toEqual({ fields: null, schema: null });
  });

  test('for a schema of an older kind, and for a job that has none', () => {
    const old = { '~standard': { version: 1, vendor: 'old', validate: () => ({ value: 1 }) } };

    expect(inputForm(old as StandardSchemaV1)).toEqual({ fields: null, schema: null });
    expect(inputForm(undefined)).toEqual({ fields: null, schema: null });
  });

  test('the schema is cut where it is very long', () => {
    const description = 'x'.repeat(20_000);

    const { schema: text } = formOf({ a: { type: 'string', description } });

    expect(text?.length).toBe(8001);
  });
});

const valibot = inputForm(
  toStandardJsonSchema(
    v.object({
      text: v.string(),
      maybe: v.optional(v.string(), 'preset'),
      day: v.nullable(v.pipe(v.string(), v.isoDate())),
      limit: v.optional(v.pipe(v.number(), v.integer()), 5),
      mode: v.optional(v.picklist(['new', 'all'])),
      flag: v.optional(v.boolean(), false),
      list: v.optional(v.array(v.string()), ['a', 'b']),
      numbers: v.optional(v.array(v.number())),
      deep: v.optional(v.record(v.string(), v.number())),
    }),
  ),
);
const fields = valibot.fields ?? [];

const read = (texts: Record<string, string>) => readTexts(fields, new Map(Object.entries(texts)));

describe('what is filled in', () => {
  test('is an input without what was left empty, so that the schema’s defaults hold', () => {
    expect(read({})).toEqual({ input: { text: '', day: null, flag: false } });
  });

  test('is read by the kind of its field', () => {
    const found = read({
      text: 'a\r\nb',
      maybe: ' kept as it is ',
      day: '2026-03-01',
      limit: ' 7 ',
      mode: '"all"',
      flag: 'true',
      list: ' one \r\n\r\n two',
      numbers: '1\n2.5\n-3e2',
      deep: '{"x": 1}',
    });

    expect(found).toEqual({
      input: {
        text: 'a\nb',
        maybe: ' kept as it is ',
        day: '2026-03-01',
        limit: 7,
        mode: 'all',
        flag: true,
        list: ['one', 'two'],
        numbers: [1, 2.5, -300],
        deep: { x: 1 },
      },
    });
  });

  test('of a list may be JSON, for what lines can not hold', () => {
    expect(read({ text: '', list: '["a\\nb", ""]' })).toMatchObject({
      input: { list: ['a\nb', ''] },
    });
    expect(read({ text: '', list: '[not JSON' })).toMatchObject({ input: { list: ['[not JSON'] } });
  });

  test('and is no value is told under its field, all at once', () => {
    const found = read({
      limit: '2.5',
      mode: 'all',
      numbers: '1\ntwo',
      deep: '{"x"',
      list: 'fine',
    });

    expect(found).toMatchObject({
      problems: [
        { path: '/input/limit', message: '"2.5" is not a whole number' },
        { path: '/input/mode', message: 'is not one of the choices' },
        { path: '/input/numbers', message: '"two" is not a number' },
        { path: '/input/deep', message: expect.stringMatching(/^is not JSON: /) },
      ],
    });
  });

  test.each(['1e999', '0x10', '1,5', 'NaN', '٣', '9007199254740993', '--1'])(
    '"%s" is no whole number',
    (text) => {
      expect(read({ limit: text })).toHaveProperty('problems');
    },
  );

  test('as one JSON text is read as it is', () => {
    expect(readJsonText(' ')).toEqual({ input: undefined });
    expect(readJsonText('null')).toEqual({ input: null });
    expect(readJsonText('{"__proto__": 1}')).toEqual({ input: JSON.parse('{"__proto__": 1}') });
    expect(readJsonText('{')).toMatchObject({ problems: [{ path: '/input' }] });
  });

  test('under a name such as __proto__ stays a part of the input', () => {
    const odd = formOf(JSON.parse('{"__proto__": {"type": "string"}}'), { required: [] });

    const found = readTexts(odd.fields ?? [], new Map([['__proto__', 'x']]));

    expect(JSON.stringify(found)).toBe('{"input":{"__proto__":"x"}}');
  });
});

describe('a form that is filled in from an input', () => {
  test('gives the same input again', () => {
    const input = {
      text: 'two\nlines',
      maybe: 'x',
      day: '2026-03-01',
      limit: 7,
      mode: 'new',
      flag: true,
      list: ['one', 'two'],
      numbers: [1, 2],
      deep: { x: 1 },
    };

    const texts = textsOf(valibot, input);

    expect(readTexts(fields, texts ?? new Map())).toEqual({ input });
  });

  test('has the presets where it says nothing', () => {
    const texts = textsOf(valibot, undefined);

    expect(Object.fromEntries(texts ?? [])).toEqual({
      text: '',
      maybe: 'preset',
      day: '',
      limit: '5',
      mode: '',
      flag: 'false',
      list: 'a\nb',
      numbers: '',
      deep: '',
    });
  });

  test.each([
    ['has more than its fields', { other: 1 }],
    ['is no object', 7],
    ['is a list', []],
    ['has another kind in a field', { limit: 'five' }],
    ['has null where it may not be', { limit: null }],
    ['has text that can not be seen', { text: 'a\u202eb' }],
    ['has line ends of another system', { text: 'a\r\nb' }],
  ])('of which there is none where it %s', (_what, input) => {
    expect(textsOf(valibot, input)).toBeUndefined();
  });

  test.each([[['a\nb']], [[]], [['']], [[' padded ']], [['[']]])(
    'holds the list %j as JSON',
    (list) => {
      const texts = textsOf(valibot, { text: '', day: null, list });

      expect(readTexts(fields, texts ?? new Map())).toMatchObject({ input: { list } });
    },
  );

  test('as JSON keeps what can not be seen', () => {
    const input = { text: 'a\u202eb\u{e0041}\0' };

    const text = jsonTextOf(input);

    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(text)).toEqual(input);
    expect(jsonTextOf(undefined)).toBe('');
  });
});

describe('a secret', () => {
  const hidden = <Input>() => v.metadata<Input, { readonly secret: true }>({ secret: true });
  const hiding = toStandardJsonSchema(
    v.object({
      token: v.optional(v.pipe(v.string(), hidden()), 'a default of its own'),
      pin: v.pipe(v.number(), v.integer(), hidden()),
      list: v.pipe(v.array(v.string()), hidden()),
      login: v.object({ user: v.string(), password: v.pipe(v.string(), hidden()) }),
      open: v.string(),
    }),
  );
  const form = inputForm(hiding);
  const secret = form.fields ?? [];

  test('has a field of one line, and its default is not told', () => {
    expect(secret.map(({ name, kind, secret: how, preset }) => [name, kind, how, preset])).toEqual([
      ['token', 'text', 'whole', undefined],
      ['pin', 'number', 'whole', undefined],
      ['list', 'json', 'whole', undefined],
      ['login', 'json', 'part', undefined],
      ['open', 'text', undefined, undefined],
    ]);
  });

  test('that is no value is told without it', () => {
    const texts = new Map([
      ['pin', 'hunter2'],
      ['list', 'hunter2'],
      ['login', 'hunter2'],
    ]);

    expect(readTexts(secret, texts)).toEqual({
      problems: [
        { path: '/input/pin', message: 'is not a whole number' },
        { path: '/input/list', message: 'is not JSON' },
        { path: '/input/login', message: 'is not JSON' },
      ],
    });
    expect(readJsonText('hunter2', { quietly: true })).toEqual({
      problems: [{ path: '/input', message: 'is not JSON' }],
    });
  });

  test('is not shown again', () => {
    const texts = new Map(secret.map(({ name }) => [name, 'hunter2']));

    const shown = [...textsToShow(form, texts)];

    expect(shown.filter(([, text]) => text !== '')).toEqual([['open', 'hunter2']]);
  });
});
