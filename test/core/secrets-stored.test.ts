import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Cipher } from '../../server/core/secrets/cipher.ts';
import {
  hideOutput,
  openInput,
  sealInput,
  shownInput,
  shownRun,
  withoutSecrets,
} from '../../server/core/secrets/stored.ts';
import { run } from '../builders.ts';

const cipher = new Cipher('11'.repeat(32));
const hidden = <Input>() => v.metadata<Input, { readonly secret: true }>({ secret: true });
const schema = toStandardJsonSchema(
  v.object({
    token: v.pipe(v.string(), hidden()),
    list: v.optional(v.array(v.pipe(v.unknown(), hidden()))),
    note: v.optional(v.unknown()),
  }),
);
const job = { name: 'deploy', input: schema, output: schema };

const seal = (value: unknown, runId = 'deploy!a'): string =>
  sealInput(cipher, job, { text: JSON.stringify(value), runId }).text ?? '';
const open = (input: string, id = 'deploy!a') => openInput(cipher, job, { id, input });

describe('an input', () => {
  test('is stored with its secrets encrypted in their places, and comes back whole', () => {
    const value = { token: 'hunter2', list: [1, null, { a: ['b'] }], note: 'in clear' };

    const stored = seal(value);

    expect(JSON.parse(stored)).toEqual({
      token: { $secret: expect.stringMatching(/^v1\./) },
      list: Array(3).fill({ $secret: expect.stringMatching(/^v1\./) }),
      note: 'in clear',
    });
    expect(stored).not.toContain('hunter2');
    expect(open(stored)).toEqual({ value, secrets: ['hunter2', 1, null, { a: ['b'] }] });
  });

  test('without a secret in it is stored as it is, with or without a key', () => {
    const text = JSON.stringify({ note: 'in clear' });

    expect(sealInput(null, job, { text, runId: 'deploy!a' })).toEqual({ text, hasSecret: false });
    expect(sealInput(null, job, { text: null, runId: 'deploy!a' })).toEqual({
      text: null,
      hasSecret: false,
    });
    expect(openInput(null, job, { id: 'deploy!a', input: text }).value).toEqual({
      note: 'in clear',
    });
  });

  test('with a secret in it is never stored without a key', () => {
    const text = JSON.stringify({ token: 'hunter2' });

    expect(() => sealInput(null, job, { text, runId: 'deploy!a' })).toThrow(
      'job "deploy" takes a secret, and PUNCTUAL_SECRET_KEY is not set',
    );
    expect(() => openInput(null, job, { id: 'deploy!a', input: seal({ token: 'x' }) })).toThrow(
      'the secret /input/token is encrypted, and PUNCTUAL_SECRET_KEY is not set here',
    );
  });

  test('a secret that was copied to another run or another place is not decrypted', () => {
    const stored = seal({ token: 'hunter2' });
    const { token } = JSON.parse(stored);

    expect(() => open(stored, 'deploy!b')).toThrow("the secret /input/token can't be decrypted");
    expect(() => open(JSON.stringify({ list: [token] }))).toThrow('/input/list/0');
  });

  test('what stands in the form of a secret where none is expected stays as it is', () => {
    const { token } = JSON.parse(seal({ token: 'hunter2' }));
    const value = { token: 'x', note: token };

    expect(open(seal(value)).value).toEqual(value);
  });

  test('what somebody sends as a secret in the form of one is a value like any other', () => {
    const { token } = JSON.parse(seal({ token: 'hunter2' }));

    const stored = seal({ token });

    expect(JSON.parse(stored).token).not.toEqual(token);
    expect(open(stored).value).toEqual({ token });
  });

  test('that was stored before its place became secret is taken as it stands', () => {
    expect(open('{"token":"of old"}')).toEqual({
      value: { token: 'of old' },
      secrets: ['of old'],
    });
  });

  test('of any shape comes back as it was, with any marks', () => {
    const marks = fc.letrec<{ part: object }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom({}, { secret: true }),
        fc.record({
          properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'x/y~'), tie('part')),
          items: tie('part'),
          additionalProperties: tie('part'),
        }),
      ),
    })).part;
    fc.assert(
      fc.property(marks, fc.jsonValue(), (part, value) => {
        const text = JSON.stringify(value);
        const made = { name: 'job', input: describing(part) };

        const stored = sealInput(cipher, made, { text, runId: 'r' });
        const again = openInput(cipher, made, { id: 'r', input: stored.text });

        expect(JSON.stringify(again.value)).toBe(text);
        expect(stored.hasSecret).toBe(again.secrets.length > 0);
        expect(shownInput(stored.text, made)).not.toContain('$secret');
      }),
      { numRuns: 300, seed: 8 },
    );
  });
});

/** A schema that takes anything, and describes itself as this. */
function describing(part: object): StandardSchemaV1 {
  const jsonSchema = { input: () => part, output: () => part };
  const props = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const;
  return { '~standard': { ...props, jsonSchema } } as StandardSchemaV1;
}

describe('what is shown of a run', () => {
  test('has [secret] where the schema says so, and where something stands encrypted', () => {
    const stored = seal({ token: 'hunter2', list: ['x'], note: { deep: ['in clear'] } });
    const shown = '{"token":"[secret]","list":["[secret]"],"note":{"deep":["in clear"]}}';

    expect(shownInput(stored, job)).toBe(shown);
    expect(shownInput(stored, undefined)).toBe(shown);
    const more = JSON.stringify({ note: { ...JSON.parse(stored).token, more: 1 } });
    expect(shownInput(more, job)).toBe(more);
    expect(shownInput('{"token":"of old"}', job)).toBe('{"token":"[secret]"}');
    expect(shownInput(null, job)).toBe(null);
  });

  test('has nothing of a damaged input whose schema has secrets', () => {
    expect(shownInput('{"token":"hunter2', job)).toBe('[secret]');
    expect(shownInput('{"token":"hunter2', undefined)).toBe('{"token":"hunter2');
  });

  test('has no secret of its output, nor of a late one', () => {
    const output = '{"token":"hunter2"}';
    const late = { attemptId: 'a', outcome: 'failed', error: null, notes: [], at: 0 } as const;

    const shown = shownRun(run({ output, lateResult: { ...late, output } }), job);

    expect([shown.output, shown.lateResult?.output]).toEqual(Array(2).fill('{"token":"[secret]"}'));
  });

  test('to be given again has no secrets', () => {
    const value = { token: 'hunter2', list: ['x', 'y'], note: 'in clear' };
    const { token } = JSON.parse(seal(value));

    expect(withoutSecrets(job, value)).toEqual({ list: [], note: 'in clear' });
    expect(withoutSecrets(job, { note: { was: token, is: 1 } })).toEqual({ note: { is: 1 } });
    expect(withoutSecrets(job, undefined)).toBe(undefined);
  });

  test('an output is stored without its secrets', () => {
    expect(hideOutput(job, '{"token":{"a":1},"note":2}')).toEqual({
      text: '{"token":"[secret]","note":2}',
      secrets: [{ a: 1 }],
    });
    expect(hideOutput({ output: undefined }, '{"token":1}').text).toBe('{"token":1}');
  });
});
