import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob } from '../../server/core/job.ts';
import type { TestService } from '../service.ts';
import { textOf } from '../views/builders.ts';
import type { Answer } from './client.ts';

/** Forms as a browser sends them, and pages as somebody reads them. */

export const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  redirect: 'manual' as const,
});

export const words = ({ text }: Answer): string => textOf({ markup: text });

/** What stands in the first field of a name. */
export const valueOf = ({ text }: Answer, name: string): string | undefined =>
  new RegExp(`name="${name}"[^>]*? value="([^"]*)"`).exec(text)?.[1];

/** A job whose schema has a field of most kinds; its output is its input. */
export const withInput = () =>
  defineJob({
    name: 'sync',
    schedule: '0 * * * *',
    input: toStandardJsonSchema(
      v.object({
        shops: v.optional(v.array(v.pipe(v.string(), v.minLength(3, 'too short'))), ['london']),
        limit: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(50, 'at most 50')), 5),
        mode: v.optional(v.picklist(['new', 'all']), 'new'),
        dryRun: v.optional(v.boolean(), false),
      }),
    ),
    run: ({ input }) => input,
  });

/** All runs, once all handlers have ended. */
export async function runsOf(service: TestService) {
  await service.idle();
  await service.settle();
  return await service.runs();
}

/** Wakes a service at one time after another. */
export async function live(service: TestService, times: readonly string[]): Promise<void> {
  for (const at of times) await service.wake(at);
}
