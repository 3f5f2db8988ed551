import type { Ended, Recorded } from '../core/observing.ts';
import type { Outcome, Range, Run } from '../core/records.ts';
import { isFailure } from '../core/run.ts';
import type { Instant } from '../core/time.ts';

/**
 * What is worth telling somebody who does not look. Decided by what stands in the job's record
 * alone, so all instances decide alike, and none has to remember what it told.
 */
export interface Alert {
  readonly kind: AlertKind;
  readonly job: string;
  /** Undefined where it is about the job as a whole. */
  readonly run: Run | undefined;
  /** Why, where no error says so. */
  readonly reason: string | null;
  /** How many runs failed in a row, the told and the untold; null where it is not about that. */
  readonly failures: number | null;
  /** The occurrences that were missed; null where it is not about any. */
  readonly missed: Range | null;
}

export type AlertKind =
  'failed' | 'timed_out' | 'lost' | 'missed' | 'recovered' | 'set_aside' | 'overdue';

const HOUR_MS = 3_600_000;
/** A job that fails and recovers all the time is told of so often at once; then by the hour. */
const STREAKS_AN_HOUR = 3;

/** What to tell of a commit: nothing of most. */
export function alertsOf({ record, ended }: Recorded): Alert[] {
  const { name: job, streak } = record;
  const outcomes = record.recent.filter((one) => isBad(one) || one.state === 'succeeded');
  const found = ended.flatMap(({ id, run }): Alert[] => {
    const i = outcomes.findIndex((one) => one.id === id);
    const one = outcomes[i];
    if (one === undefined || run === undefined) return [];
    const about = { job, run, reason: run.reason, missed: null };
    const inARow = failuresUpTo(outcomes, isBad(one) ? i : i - 1);
    if (one.state === 'succeeded') {
      const told = Array.from({ length: inARow }, (_, n) => isTold(outcomes, i - 1 - n));
      return told.includes(true) ? [{ ...about, kind: 'recovered', failures: inARow }] : [];
    }
    // The record keeps sixty outcomes, and counts on.
    const failures = i === outcomes.length - 1 ? Math.max(inARow, -streak) : inARow;
    return isKind(one.state) && isTold(outcomes, i)
      ? [{ ...about, kind: one.state, failures }]
      : [];
  });
  return [...found, ...missedOf(record.recent, job, ended)];
}

/** A failure of a run. What was missed never ran, and ends no row of successes. */
const isBad = ({ state }: Outcome): boolean => isFailure(state) && state !== 'missed';

const isKind = (state: Outcome['state']): state is 'failed' | 'timed_out' | 'lost' =>
  state === 'failed' || state === 'timed_out' || state === 'lost';

function failuresUpTo(outcomes: readonly Outcome[], last: number): number {
  let count = 0;
  for (let i = last; i >= 0; i--) {
    const one = outcomes[i];
    if (one === undefined || !isBad(one)) break;
    count += 1;
  }
  return count;
}

/**
 * Whether a failure is told: the first of an hour of the clock is, and so is the first after a
 * success, unless that happened a few times within the hour.
 */
function isTold(outcomes: readonly Outcome[], i: number): boolean {
  const at = outcomes[i]?.at ?? 0;
  const before = outcomes.slice(0, i);
  const last = before.findLast(isBad);
  if (last === undefined || hourOf(last.at) < hourOf(at)) return true;
  if (before.at(-1) === last) return false;
  const begins = before.filter((one, n) => {
    const previous = before[n - 1];
    return isBad(one) && (previous === undefined || !isBad(previous)) && at - one.at < HOUR_MS;
  });
  return begins.length < STREAKS_AN_HOUR;
}

const hourOf = (at: Instant): number => Math.floor(at / HOUR_MS);

/** All that one commit found missed is told as one, and once in an hour of the schedule's clock. */
function missedOf(recent: readonly Outcome[], job: string, ended: readonly Ended[]): Alert[] {
  const found = ended.flatMap(({ state, run }) =>
    state === 'missed' && run !== undefined && run.range !== null
      ? [{ run, range: run.range }]
      : [],
  );
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return [];
  const start = recent.findIndex(({ id }) => id === first.run.id);
  const before = recent.slice(0, Math.max(0, start)).findLast(({ state }) => state === 'missed');
  const { run } = last;
  if (before !== undefined && hourOf(before.at) >= hourOf(run.at)) return [];
  const missed: Range = {
    from: first.range.from,
    to: last.range.to,
    count: found.reduce((sum, { range }) => sum + range.count, 0),
    atLeast: found.some(({ range }) => range.atLeast),
  };
  return [{ kind: 'missed', job, run, reason: run.reason, failures: null, missed }];
}
