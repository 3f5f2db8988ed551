import type { DecisionContext } from '../../../server/core/draft.ts';
import type { JobRecord } from '../../../server/core/records.ts';
import { timing, type Instant } from '../../../server/core/time.ts';
import { jobRecord } from '../../builders.ts';

/** Many jobs, no two with the same schedule in the same time zone. */

export const JOBS = 10_000;
export const REGISTERED = Date.UTC(2026, 2, 1);
export const ALL_ZONES = Intl.supportedValuesOf('timeZone');

const KINDS: readonly ((i: number) => string)[] = [
  (i) => `${i % 60} ${Math.floor(i / 60) % 24} * * *`,
  (i) => `H H(0-6) * * ${i % 7}`,
  (i) => `*/${2 + (i % 28)} * * * *`,
  (i) => `${i % 60} * * * 1-5`,
  () => 'H * * * *',
  (i) => `${i % 60} ${i % 24} L * *`,
  (i) => `0 ${i % 24} * * ${i % 7}#${1 + (i % 4)}`,
  (i) => `${i % 60} 9 * * 1-5; ${(i + 3) % 60} 12 * * 6`,
  (i) => `every ${1 + (i % 90)}m`,
  () => 'H H * * *',
];

export const scheduleOf = (i: number): string => KINDS[i % KINDS.length]?.(i) ?? '* * * * *';
export const zoneOfJob = (i: number): string => ALL_ZONES[i % ALL_ZONES.length] ?? 'UTC';

/** A job as it stands on record after its registration, all but `nextActionAt`. */
export const recordOf = (i: number): JobRecord =>
  jobRecord({
    name: `job-${i}`,
    schedules: [{ schedule: scheduleOf(i), timeZone: zoneOfJob(i), from: REGISTERED }],
    registeredAt: REGISTERED,
    watermark: REGISTERED,
    ledgerFrom: REGISTERED,
    freeAt: REGISTERED,
    fence: REGISTERED,
  });

const TIMING = timing({ leaseMs: 90_000, tickMs: 60_000 });

/** What a wake-up decides by, as `apply` puts it together. */
export const contextOf = (i: number, now: Instant): DecisionContext => ({
  now,
  unsteady: null,
  timing: TIMING,
  build: 'build-1',
  namespace: 'default',
  random: 0.5,
  upSince: REGISTERED,
  intentId: `intent-${i}`,
  existing: new Set(),
  covered: undefined,
  offer: { attemptId: `attempt-${i}`, owner: 'here', traceparent: 'trace' },
});
