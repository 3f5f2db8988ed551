import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEPTH_LIMIT, readStrictJson } from '../../server/http/strict-json.ts';

const read = (text: string) => readStrictJson(Buffer.from(text));
const problemOf = (text: string | Uint8Array): [path: string, message: string] => {
  const found = typeof text === 'string' ? read(text) : readStrictJson(text);
  if ('value' in found) throw new Error(`was read: ${JSON.stringify(found.value)}`);
  return [found.problem.path, found.problem.message];
};

/** What JSON.parse makes of it; undefined where it refuses. */
function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** What a program may well send: no halves of surrogate pairs, and no keys of JavaScript's own. */
const wellFormed = fc.string({ unit: 'binary' });
const key = wellFormed.filter((text) => !['__proto__', 'constructor', 'prototype'].includes(text));
const ordinary = fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 });
const safe = (value: unknown): boolean =>
  !/"(?:__proto__|constructor|prototype)":/.test(JSON.stringify(value));
const value = fc.oneof(
  ordinary.filter(safe),
  fc.dictionary(key, fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), wellFormed)),
);

/** A value with what is put at a place in it, and the pointer of that place. */
const placed = fc
  .array(fc.oneof(fc.nat({ max: 5 }), key), { maxLength: 10 })
  .map((steps) => ({
    steps,
    pointer: steps
      .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join(''),
    around: (text: string): string =>
      steps.reduceRight<string>(
        (inner, step) =>
          typeof step === 'number'
            ? `[${'0,'.repeat(step)}${inner}]`
            : `{"first": null, ${JSON.stringify(step)} : ${inner} }`,
        text,
      ),
  }))
  .filter(
    ({ steps }) => !steps.includes('first') && steps.every((step) => String(step).length < 90),
  );

describe('what JSON.stringify makes', () => {
  test('is read, and comes to the same value, however it is spaced', () => {
    fc.assert(
      fc.property(value, fc.constantFrom('', '\t', '  '), (made, indent) => {
        const text = JSON.stringify(made, null, indent);

        expect(read(text)).toEqual({ value: JSON.parse(text) });
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a surrogate pair, escaped or not', '["\\ud83d\\ude00", "😀"]'],
    [
      'the largest number there is, and numbers next to nothing',
      '[1.7976931348623157e308, 1e-400]',
    ],
    ['keys that only look like JavaScript’s own', '{"__proto": 1, "Constructor": 2, "proto": 3}'],
    ['one key in two objects', '[{"a": {"a": 1}}, {"a": 2}]'],
    ['such keys as values', '["__proto__", "constructor"]'],
    ['a byte order mark in a text', '["\ufeff"]'],
    ['as much nesting as may be', `${'['.repeat(DEPTH_LIMIT)}${']'.repeat(DEPTH_LIMIT)}`],
    ['a simple value', ' "text" '],
  ])('%s', (_what, text) => {
    expect(read(text)).toEqual({ value: JSON.parse(text) });
  });
});

describe('what is no JSON', () => {
  test('is refused wherever JSON.parse refuses it, and never throws', () => {
    const signs = '{}[]:,"\\u0019-+.eEtrufalsn \t\n\0a'.split('');
    const noise = fc.string({ unit: fc.constantFrom(...signs) });
    fc.assert(
      fc.property(noise, (text) => {
        const found = read(text);

        const isNoJson = 'problem' in found && found.problem.message.startsWith('is not JSON');
        // What it refuses for other reasons may be JSON.
        const right = isNoJson ? undefined : parsed(text);
        expect('value' in found ? found : right).toEqual(parsed(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('is refused when its end is missing', () => {
    fc.assert(
      fc.property(value, fc.nat(), (made, cut) => {
        const text = JSON.stringify({ made });

        expect(read(text.slice(0, cut % text.length))).toHaveProperty('problem');
      }),
    );
  });

  test.each([
    ['', '', 'it ends where a value is expected'],
    ['{"input": ', '/input', 'it ends where a value is expected'],
    ['{"a": [1, 2', '/a', 'it ends where "," or "]" is expected'],
    ['{"a": "x', '/a', 'it ends where the closing quote of a text is expected'],
    ['{"a": 1,}', '', '"}" at character 9, where a key in double quotes is expected'],
    ['[1, 2, ]', '/2', '"]" at character 8, where a value is expected'],
    ['{"a" 1}', '/a', '"1" at character 6, where ":" is expected'],
    ['{"a": {"b": NaN}}', '/a/b', '"N" at character 13, where a value is expected'],
    ['[-Infinity]', '/0', '"-" at character 2, where a value is expected'],
    ['[01]', '', '"1" at character 3, where "," or "]" is expected'],
    ['[1] 2', '', '"2" at character 5, where nothing more is expected'],
    [
      '["\\x41"]',
      '/0',
      '"\\\\" at character 3, where an escape such as \\n or \\u00e9 is expected',
    ],
    ['[\u00a01]', '/0', '"\u00a0" at character 2, where a value is expected'],
    ["{'a': 1}", '', '"\'" at character 2, where a key in double quotes is expected'],
    ['{"a/b~c": NaN}', '/a~1b~0c', '"N" at character 11, where a value is expected'],
    ['[1 // one\n]', '', '"/" at character 4, where "," or "]" is expected'],
  ])('%j is told where', (text, path, why) => {
    expect(problemOf(text)).toEqual([path, `is not JSON: ${why}`]);
  });

  test('a line break or NUL in a text is told where', () => {
    const right = 'where a control character escaped, as in \\n or \\u000b is expected';

    expect(problemOf('["a\nb"]')[1]).toBe(`is not JSON: "\\n" at character 4, ${right}`);
    expect(problemOf('["\0"]')[1]).toBe(`is not JSON: "\\u0000" at character 3, ${right}`);
  });
});

describe('what readers of JSON take in different ways is refused, wherever it stands', () => {
  /** Puts a text into many places of many values, and gives what is told other than it should be. */
  const toldOtherwise = (put: string, below: string, message: RegExp): unknown =>
    fc.sample(placed, { numRuns: 100 }).flatMap(({ around, pointer }) => {
      const [path, told] = problemOf(around(put));
      return path === pointer + below && message.test(told) ? [] : [[around(put), path, told]];
    });

  test('a key that stands twice in one object, in whatever way it is written', () => {
    expect(
      toldOtherwise(
        '{"a": 1, "b": 2, "a": 1}',
        '/a',
        /^is there twice; each key may be there once$/,
      ),
    ).toEqual([]);
    expect(toldOtherwise('{"a": 1, "\\u0061": 2}', '/a', /twice/)).toEqual([]);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('the key %s', (own) => {
    expect(
      toldOtherwise(`{"${own}": 1}`, `/${own}`, /^is a key that no object here may have$/),
    ).toEqual([]);
    expect(
      toldOtherwise(
        `{"\\u00${own.charCodeAt(0).toString(16)}${own.slice(1)}": {}}`,
        `/${own}`,
        /no object/,
      ),
    ).toEqual([]);
  });

  test('a number that comes to Infinity', () => {
    expect(
      toldOtherwise('1e400', '', /^is 1e400; numbers go up to 1\.79\S+, larger ones as text$/),
    ).toEqual([]);
    expect(toldOtherwise('-1e309', '', /^is -1e309; /)).toEqual([]);
    expect(toldOtherwise('9'.repeat(400), '', /^is 9{100}…; /)).toEqual([]);
  });

  test('half a surrogate pair, in a text or in a key', () => {
    for (const half of ['\\ud800', '\\udc00', '\\udc00\\ud800', 'a\\uDBFF"]'.slice(0, 7)]) {
      expect(toldOtherwise(`"${half}"`, '', /^has half a surrogate pair in a text/)).toEqual([]);
      expect(toldOtherwise(`{"${half}": 1}`, '', /^has half a surrogate pair in a text/)).toEqual(
        [],
      );
    }
  });

  test('a byte order mark', () => {
    expect(problemOf('\ufeff{}')).toEqual(['', 'begins with a byte order mark; send it without']);
  });

  test.each([
    ['a stray byte', [0x22, 0xff, 0x22]],
    ['a text that is cut in a letter', [0x22, 0xc3, 0x22]],
    ['a letter that is longer than it need be', [0x22, 0xc0, 0xaf, 0x22]],
    ['half a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x22, 0x00, 0x22, 0x00]],
  ])('what is not UTF-8: %s', (_what, bytes) => {
    expect(problemOf(new Uint8Array(bytes))).toEqual(['', 'is not UTF-8']);
  });
});

describe('what is large', () => {
  test.each(['[', '{"a":', '[{"a":'])('%s 10,000 times over is refused at the limit', (open) => {
    const [path, message] = problemOf(open.repeat(10_000));

    expect(path.split('/')).toHaveLength(DEPTH_LIMIT + 1);
    expect(message).toBe('is nested too deeply: at most 64 levels are read');
  });

  test.each([
    ['spaces', ' '.repeat(4_000_000)],
    ['one text', `"${'x'.repeat(4_000_000)}`],
    ['escapes', `"${'\\u0061'.repeat(400_000)}`],
    ['one number', `${'9'.repeat(400_000)}e`],
    ['keys', `{${Array.from({ length: 100_000 }, (_, n) => `"${n}":0,`).join('')}`],
    ['commas', '['.concat('0,'.repeat(1_000_000))],
  ])('%s: is read in time that grows with its length alone', (_what, text) => {
    const startedAt = performance.now();

    expect(problemOf(text)[1]).toMatch(/^is not JSON|numbers go up/);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('a key that is very long is shown in part', () => {
    const [path] = problemOf(`{"${'k'.repeat(5000)}": NaN}`);

    expect(path).toBe(`/${'k'.repeat(100)}…`);
  });
});
