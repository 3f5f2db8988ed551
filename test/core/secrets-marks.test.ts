import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { readRegistry } from '../../server/core/registry.ts';
import { timing } from '../../server/core/time.ts';
import { byHand } from '../service.ts';
import {
  LEFT_OUT,
  markedIn,
  marksOf,
  marksProblem,
  replaceMarked,
  secretDepth,
  secretnessOf,
} from '../../server/core/secrets/marks.ts';

/** A schema that takes anything, and describes itself as this. */
function described(input: unknown, output: unknown = {}): StandardSchemaV1 {
  const jsonSchema = { input: () => input, output: () => output };
  const props = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const;
  return { '~standard': { ...props, jsonSchema } } as StandardSchemaV1;
}

/** The places of a value that are secret by a schema. */
function found(schema: StandardSchemaV1, value: unknown): string[] {
  const places: string[] = [];
  replaceMarked(marksOf(schema), value, (part, pointer) => {
    places.push(pointer);
    return part;
  });
  return places;
}

const secret = { secret: true };

describe('what a schema marks as secret', () => {
  test.each<[what: string, schema: object, value: unknown, places: string[]]>([
    ['secret: true', { properties: { a: secret, b: {} } }, { a: 1, b: 2 }, ['/a']],
    ['writeOnly: true', { properties: { a: { writeOnly: true } } }, { a: 1 }, ['/a']],
    ['a password', { properties: { a: { format: 'password' } } }, { a: 1 }, ['/a']],
    ['all of it', secret, { a: 1 }, ['']],
    [
      'not what only sounds like it',
      { properties: { secret: {}, a: { secret: 'yes' } } },
      { secret: 1, a: 2 },
      [],
    ],
    ['nothing in a property of that name', { properties: { secret: true } }, { secret: 1 }, []],
    [
      'deep within',
      { properties: { a: { properties: { b: secret } } } },
      { a: { b: 1, c: 2 } },
      ['/a/b'],
    ],
    ['each item', { properties: { a: { items: secret } } }, { a: [1, 2] }, ['/a/0', '/a/1']],
    ['within items', { items: { properties: { a: secret } } }, [{ a: 1 }, { b: 2 }], ['/0/a']],
    ['one of a tuple', { prefixItems: [{}, secret], items: {} }, [1, 2, 3], ['/1']],
    ['the rest of a tuple', { prefixItems: [{}], items: secret }, [1, 2, 3], ['/1', '/2']],
    ['a tuple of old', { items: [{}, secret], additionalItems: {} }, [1, 2, 3], ['/1']],
    [
      'other properties',
      { properties: { a: {} }, additionalProperties: secret },
      { a: 1, b: 2 },
      ['/b'],
    ],
    ['properties by pattern', { patternProperties: { '^x': secret } }, { x1: 1, y: 2 }, ['/x1']],
    ['a pattern that nobody can read', { patternProperties: { '(': secret } }, { a: 1 }, ['/a']],
    ['any of', { properties: { a: { anyOf: [{ type: 'null' }, secret] } } }, { a: null }, ['/a']],
    [
      'one of',
      { oneOf: [{ properties: { a: secret } }, { properties: { b: {} } }] },
      { a: 1, b: 2 },
      ['/a'],
    ],
    [
      'all of',
      { allOf: [{ properties: { a: {} } }, { properties: { a: secret } }] },
      { a: 1 },
      ['/a'],
    ],
    ['a condition', { if: {}, else: { properties: { a: secret } } }, { a: 1 }, ['/a']],
    [
      'a reference',
      { $defs: { t: secret }, properties: { a: { $ref: '#/$defs/t' } } },
      { a: 1 },
      ['/a'],
    ],
    [
      'a reference of old',
      { definitions: { t: secret }, properties: { a: { $ref: '#/definitions/t' } } },
      { a: 1 },
      ['/a'],
    ],
    [
      'a reference to a place',
      { properties: { 'a/b': secret, c: { $ref: '#/properties/a~1b' } } },
      { c: 1 },
      ['/c'],
    ],
    [
      'a schema within itself',
      { properties: { a: secret, next: { $ref: '#' } } },
      { a: 1, next: { next: { a: 2 } } },
      ['/a', '/next/next/a'],
    ],
    ['a name with signs', { properties: { 'a/b~c': secret } }, { 'a/b~c': 1 }, ['/a~1b~0c']],
  ])('%s', (_what, schema, value, places) => {
    expect(found(described(schema), value)).toEqual(places);
  });

  test('what the schema makes of a value counts as what it takes', () => {
    const schema = described({ properties: { a: {} } }, { properties: { a: secret } });

    expect(found(schema, { a: 1 })).toEqual(['/a']);
  });

  test('a reference in circles comes to an end', () => {
    const loop = {
      $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
      $ref: '#/$defs/a',
    };

    expect(found(described({ ...loop, properties: { x: secret } }), { x: 1 })).toEqual(['/x']);
  });

  test('what lies deeper than anybody looks is secret where the schema goes on', () => {
    const schema = described({ properties: { a: secret, next: { $ref: '#' } } });
    let value: unknown = 'the end';
    for (let depth = 0; depth < 2000; depth++) value = { next: value };

    const places = found(schema, value);

    expect(places).toEqual(['/next'.repeat(101)]);
  });

  test('valibot’s metadata marks, also behind a transformation and beside what JSON has no word for', () => {
    const hidden = <Input>() => v.metadata<Input, { readonly secret: true }>({ secret: true });
    const schema = toStandardJsonSchema(
      v.object({
        token: v.pipe(v.string(), hidden()),
        maybe: v.nullable(v.pipe(v.string(), hidden())),
        trimmed: v.pipe(v.string(), v.transform(String), v.string(), hidden()),
        since: v.optional(v.date()),
        all: v.record(v.string(), v.pipe(v.string(), hidden())),
        open: v.string(),
      }),
    );
    const value = { token: 'a', maybe: null, trimmed: 'b', open: 'c', all: { x: 'd' } };

    expect(found(schema, value)).toEqual(['/token', '/maybe', '/trimmed', '/all/x']);
  });

  test('a schema that marks something and does not describe itself is refused', () => {
    const schema = v.object({ token: v.pipe(v.string(), v.metadata({ secret: true })) });

    expect(marksProblem(schema)).toContain('right would be Standard JSON Schema');
    expect(() => marksOf(schema)).toThrow('does not describe itself');
    expect(marksProblem(v.object({ token: v.string() }))).toBe(null);
  });

  test('a reference out of a schema that marks something is refused', () => {
    const away = { $ref: 'https://example.com/token.json' };

    expect(marksProblem(described({ properties: { a: away, b: secret } }))).toContain(
      'refers to "https://example.com/token.json"',
    );
    expect(marksProblem(described({ properties: { a: away } }))).toBe(null);
  });

  test('the registry tells of each job of which nobody can tell what is secret', () => {
    const unclear = v.object({ token: v.pipe(v.string(), v.metadata({ secret: true })) });
    const jobs = [byHand({ name: 'a', input: unclear }), byHand({ name: 'b', output: unclear })];

    const reading = () => readRegistry(jobs, timing({ leaseMs: 90_000, tickMs: 60_000 }));

    expect(reading).toThrow(
      /^job "a": input: its schema marks something as secret .*\njob "b": output: its schema marks/,
    );
  });

  test('a description that fails marks nothing', () => {
    const failing = described({});
    Object.assign(failing['~standard'], {
      jsonSchema: {
        input: () => {
          throw new Error('no');
        },
      },
    });

    expect(marksOf(failing)).toBe(null);
  });
});

describe('a value with marks', () => {
  const schema = described({
    properties: {
      a: secret,
      list: { items: secret },
      deep: { properties: { b: secret } },
      open: {},
    },
  });

  test('loses what is left out, and only that', () => {
    const value = { a: 1, list: [1, 2], deep: { b: 1, c: 2 }, open: 3, ['__proto__']: 4 };

    const left = replaceMarked(marksOf(schema), value, () => LEFT_OUT);

    expect(left).toEqual({ list: [], deep: { c: 2 }, open: 3, ['__proto__']: 4 });
    expect(replaceMarked(marksOf(described(secret)), 'all', () => LEFT_OUT)).toBe(undefined);
  });

  test('gives its secrets, also where a schema made something else of it', () => {
    const circle: Record<string, unknown> = {
      a: new Date(0),
      list: new Set([1]),
      deep: { b: 'x' },
    };
    circle['open'] = circle;

    expect(markedIn(marksOf(schema), circle)).toEqual([new Date(0), 'x']);
  });

  test('a path is known to lead into a secret', () => {
    const marks = marksOf(schema);

    expect(secretDepth(marks, ['a'])).toBe(1);
    expect(secretDepth(marks, ['a', 'x', 'y'])).toBe(1);
    expect(secretDepth(marks, ['list', '3', 'x'])).toBe(2);
    expect(secretDepth(marks, ['deep'])).toBe(undefined);
    expect(secretDepth(marks, [])).toBe(undefined);
    expect(secretDepth(null, ['a'])).toBe(undefined);
  });

  test('a property is known to be secret as a whole or in part', () => {
    const marks = marksOf(schema);

    expect(['a', 'list', 'deep', 'open', 'none'].map((name) => secretnessOf(marks, name))).toEqual([
      'whole',
      'part',
      'part',
      null,
      null,
    ]);
  });
});
