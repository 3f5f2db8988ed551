import type { Job, JobDefinition } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { occurrencesAmong, readExpression, watch } from '../core/zones/reference.ts';
import { byHand, job } from '../service.ts';
import type { Employer, Journal } from './journal.ts';
import { MINUTE, SECOND } from './scenario.ts';

/** Jobs whose schedules meet what a wall clock does, and what must occur of them. */

/** Which time zone, and a fixed time in it that its clock makes odd. */
export interface Place {
  readonly zone: string;
  readonly fixed: string;
}

const texts = ({ fixed }: Place): Readonly<Record<string, readonly string[]>> => ({
  fixed: [fixed],
  'half-past-one': ['30 1 * * *'],
  midnight: ['0 0 * * *'],
  daily: ['@daily'],
  quarters: ['*/15 * * * *'],
  seconds: ['30 */20 * * * *'],
  several: ['0 1-3 * * *', '*/30 * * * *', '15,45 2 * * *'],
});
const PERIOD = 90 * MINUTE;

/** All occurrences run, however late: then each has a record of its own. */
const ALL = { catchUp: { runs: 'all', within: '1d', max: 100 } } as const;

/** A job for each, one with a period, and `long`, which may be killed at its work. */
export function jobsOf(place: Place, journal: Journal, of: Employer): Job[] {
  const { zone: timeZone } = place;
  const run = journal.work(of, 100);
  const made = Object.entries(texts(place)).map(([name, [first = '', ...more]]) =>
    job({ name, schedule: more.length === 0 ? first : [first, ...more], timeZone, run, ...ALL }),
  );
  const period = { name: 'period', every: '90m', timeZone, run, ...ALL };
  const long: Partial<JobDefinition> = {
    name: 'long',
    schedule: '*/30 * * * *',
    timeZone,
    onLost: 'retry',
    retry: { attempts: 3 },
    run: journal.work(of, 4 * MINUTE),
    ...ALL,
  };
  return [...made, byHand(period as Partial<JobDefinition>), job(long)];
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The instants in (from, to] of each job by a second, plain account of cron, oldest first. */
export function expected(place: Place, { from, to }: Span): Map<string, readonly number[]> {
  const minutes = watch(place.zone, { from, to }, MINUTE);
  const seconds = watch(place.zone, { from, to }, 30 * SECOND);
  const found = Object.entries({ ...texts(place), long: ['*/30 * * * *'] }).map(([name, all]) => {
    const looks = name === 'seconds' ? seconds : minutes;
    const each = all.flatMap((text) => occurrencesAmong(looks, readExpression(text)));
    return [name, [...new Set(each)].toSorted((a, b) => a - b)] as const;
  });
  const periods: number[] = [];
  for (let at = Math.floor(from / PERIOD + 1) * PERIOD; at <= to; at += PERIOD) periods.push(at);
  return new Map<string, readonly number[]>([...found, ['period', periods]]);
}

/** The occurrences of a job that have a run, oldest first. */
export const scheduledOf = (runs: readonly Run[], name: string): number[] =>
  runs
    .filter((run) => run.job === name && run.range === null)
    .map(({ scheduledAt }) => scheduledAt ?? 0)
    .toSorted((a, b) => a - b);

/** How many occurrences of a job there are records of. */
export const covered = (runs: readonly Run[], name: string): number =>
  runs.filter((run) => run.job === name).reduce((sum, { range }) => sum + (range?.count ?? 1), 0);

/** `07:00`, with seconds only where there are any. */
export const times = (all: readonly number[]): string[] =>
  all.map((at) => new Date(at).toISOString().slice(11, 19).replace(/:00$/, ''));
