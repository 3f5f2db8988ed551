import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { byHand, openService } from '../service.ts';
import { runNow } from '../../server/core/run-now.ts';
import { runRequest } from '../builders.ts';

/** What becomes of an output with a schema. */
async function runOf(definition: Parameters<typeof byHand>[0]) {
  const job = byHand(definition);
  const service = await openService([job]);
  await runNow(service.deps, job, runRequest());
  await service.idle();
  return await service.lastRun();
}

const sum = v.object({ sum: v.pipe(v.number(), v.maxValue(10, 'at most 10')), by: v.string() });

describe('an output', () => {
  test('that fits its schema is stored as the schema makes it', async () => {
    const { state, output } = await runOf({
      output: v.object({ sum: v.number(), unit: v.optional(v.string(), 'EUR') }),
      run: () => ({ sum: 4, extra: true }),
    });

    expect([state, output]).toEqual(['succeeded', '{"sum":4,"unit":"EUR"}']);
  });

  test('that does not fit fails the attempt, with all that is wrong', async () => {
    const { state, output, error } = await runOf({ output: sum, run: () => ({ sum: 11, by: 1 }) });

    expect([state, output]).toEqual(['failed', null]);
    expect(error).toMatchObject({
      name: 'BadOutput',
      message:
        'its output does not fit its schema: /output/sum: at most 10; ' +
        '/output/by: Invalid type: Expected string but received 1',
    });
  });

  test('that is missing is told as such', async () => {
    const { error } = await runOf({ output: sum, run: () => undefined });

    expect(error?.message).toBe(
      'its output does not fit its schema: /output: Invalid type: Expected Object but received undefined',
    );
  });

  test('is tried again as the job says', async () => {
    let tries = 0;
    const { state, attempts } = await runOf({
      output: v.number(),
      retry: { attempts: 2, backoff: { from: 0 } },
      run: () => (tries++ === 0 ? 'none' : 2),
    });

    expect([state, attempts.length]).toEqual(['succeeded', 2]);
  });

  test('whose schema fails, fails the attempt', async () => {
    const validate = (): never => {
      throw new Error('no idea');
    };
    const output = { '~standard': { version: 1, vendor: 'test', validate } } as const;

    const { error } = await runOf({ output, run: () => 1 });

    expect(error?.message).toContain("/output: the job's schema failed: no idea");
  });

  test('has what is secret in it stored nowhere, and told in no problem', async () => {
    const hidden = <Input>() => v.metadata<Input, { readonly secret: true }>({ secret: true });
    const output = toStandardJsonSchema(
      v.object({ link: v.pipe(v.string(), v.url(), hidden()), note: v.string(), id: v.number() }),
    );
    const link = 'https://example.com/one-time-link';

    const good = await runOf({ output, run: () => ({ link, note: `see ${link}`, id: 1 }) });
    const bad = await runOf({ output, run: () => ({ link: 'not-a-url', note: 'x', id: 'y' }) });

    expect(good.output).toBe('{"link":"[secret]","note":"see [secret]","id":1}');
    expect(bad.error?.message).toContain(
      '/output/link: is not what its schema asks for; /output/id',
    );
    expect(JSON.stringify(bad)).not.toContain('not-a-url');
  });

  test('needs a validator', () => {
    expect(byHand({ output: 'string' as never }).problems).toEqual([
      {
        field: 'output',
        message: 'expected a Standard Schema validator, such as one of valibot or zod',
      },
    ]);
  });
});
