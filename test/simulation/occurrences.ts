import type { Span } from '../../server/core/records.ts';

/** Which schedule names the minutes after `from`. */
export interface InForce {
  readonly schedule: string | null;
  readonly from: number;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;

/**
 * The occurrences in (from, to], found minute by minute and without any of the product's code. It
 * knows the few forms that simulated jobs use: a star, a star with a step, or a minute, each with
 * stars behind it.
 */
export function occurrencesIn(schedules: readonly InForce[], { from, to }: Span): number[] {
  const found: number[] = [];
  let index = 0;
  for (let at = (Math.floor(from / MINUTE) + 1) * MINUTE; at <= to; at += MINUTE) {
    while ((schedules[index + 1]?.from ?? Infinity) < at) index++;
    const entry = schedules[index];
    if (entry !== undefined && entry.from < at && names(entry.schedule, at)) found.push(at);
  }
  return found;
}

/** The first occurrence after an instant; undefined where none comes within a day. */
export function nextOccurrenceAfter(
  schedules: readonly InForce[],
  after: number,
): number | undefined {
  for (let from = after; from < after + 24 * HOUR; from += HOUR) {
    const [first] = occurrencesIn(schedules, { from, to: from + HOUR });
    if (first !== undefined) return first;
  }
  return undefined;
}

function names(schedule: string | null, at: number): boolean {
  if (schedule === null) return false;
  const [field = '', ...stars] = schedule.split(' ');
  if (stars.join(' ') !== '* * * *') throw new Error(`"${schedule}" is not for simulated jobs`);
  const minute = (at / MINUTE) % 60;
  if (field === '*') return true;
  if (field.startsWith('*/')) return minute % Number(field.slice(2)) === 0;
  return minute === Number(field);
}
