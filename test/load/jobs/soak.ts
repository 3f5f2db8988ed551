import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob, type Handler, type JobDefinition } from '../../../server/core/job.ts';
import { selfAudit } from '../../../jobs/self-audit.ts';
import { quick, working, written } from '../handlers.ts';

/**
 * What a machine may have to do: fifty jobs of each minute, most of them short, and five of each
 * second; retention and the audit of the service itself, as they are shipped but more often.
 */

const backoff = { from: '2s' } as const;

/** Says much, as programs do. */
const talks: Handler = written(({ log, progress, attempt }) => {
  for (let n = 1; n <= 20; n++) {
    log(`page ${n} of 20 is done`, { page: n, orders: n * 7 });
    progress(n, 20);
  }
  return { pages: 20, attempt };
});

const fails: Handler = written(({ attempt }) => {
  if (attempt === 1) throw new Error('the shop answered 503');
});

/** Half of them begin with the minute, as people write them; the others are spread over it. */
const KINDS: readonly Omit<JobDefinition, 'name' | 'input'>[] = [
  { run: quick },
  { run: quick },
  { run: quick },
  { run: talks },
  { run: working(400) },
  { run: working(3000) },
  { run: fails, retry: { attempts: 2, backoff } },
  { run: working(20_000), onLost: 'retry', retry: { attempts: 3, backoff } },
  { run: working(40_000), onLost: 'retry', overlap: 'queue' },
  { run: working(75_000), overlap: 'replace' },
];

export const MINUTES = 50;
export const SECONDS = 5;

/** Those that are never busy when they are due: they begin on time if the service does its part. */
export const isPunctual = (job: string): boolean => /^second-|^minute-\d[0-4]$/.test(job);

const secondOf = (n: number): number => (n % 20 < 10 ? 0 : (n * 7) % 60);

/** Name and cron text of each. */
export const schedules: readonly (readonly [name: string, schedule: string])[] = [
  ...Array.from({ length: MINUTES }, (_, n): [string, string] => [
    `minute-${String(n).padStart(2, '0')}`,
    `${secondOf(n)} * * * * *`,
  ]),
  ...Array.from({ length: SECONDS }, (_, n): [string, string] => [`second-${n}`, '* * * * * *']),
];

const retention = toStandardJsonSchema(
  v.object({
    maxAgeDays: v.optional(v.number(), 1),
    maxRuns: v.optional(v.number(), 1_000_000),
  }),
);

export default [
  ...schedules.map(([name, schedule], n) =>
    defineJob({
      name,
      schedule,
      ...(name.startsWith('minute-') ? KINDS[n % KINDS.length] : {}),
      run: (name.startsWith('minute-') ? KINDS[n % KINDS.length]?.run : undefined) ?? quick,
    }),
  ),
  defineJob({
    name: 'prune-history',
    schedule: '20 */5 * * * *',
    input: retention,
    run: () => import('../../../jobs/prune-history.run.ts'),
  }),
  defineJob({
    name: 'self-audit',
    schedule: '40 */10 * * * *',
    ...(selfAudit.input !== undefined && { input: selfAudit.input }),
    run: () => import('../../../jobs/self-audit.run.ts'),
  }),
];
