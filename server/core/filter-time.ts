import { nearest } from './nearest.ts';
import { parseDuration, parseInstant, type Instant } from './time.ts';

const DAY_MS = 86_400_000;

/** What a word such as `2d`, `today` or `2026-11-28` names. */
export interface NamedTime {
  /** The first instant and the last one that it names. */
  readonly first: Instant;
  readonly last: Instant;
  /** Whether it moves on with time. */
  readonly relative: boolean;
}

/** Reads it as seen from `now`, days in UTC; `undefined` where it is no time. */
export function timeOf(value: string, now: Instant): NamedTime | undefined {
  const weeks = /^(\d{1,4})w$/.exec(value)?.[1];
  const ms = weeks === undefined ? parseDuration(value) : Number(weeks) * 7 * DAY_MS;
  if (ms !== undefined) {
    const at = Math.max(0, now - ms);
    return ms > 0 ? { first: at, last: at, relative: true } : undefined;
  }
  const today = now - (now % DAY_MS);
  if (value === 'today') return { ...dayFrom(today), relative: true };
  if (value === 'yesterday') return { ...dayFrom(today - DAY_MS), relative: true };
  if (/^\d{4}-\d\d-\d\d$/.test(value)) {
    const day = Date.parse(`${value}T00:00:00Z`);
    // Some engines take 30 February for a day of March.
    const real = !Number.isNaN(day) && new Date(day).toISOString().startsWith(value);
    return real ? { ...dayFrom(day), relative: false } : undefined;
  }
  const at = parseInstant(value.toUpperCase());
  return at === undefined ? undefined : { first: at, last: at, relative: false };
}

const dayFrom = (first: Instant) => ({ first, last: first + DAY_MS - 1 });

/** What was probably meant: `2d` for `2 days`, an instant in UTC where it has no zone. */
export function meantTime(value: string): string | undefined {
  const [, count, unit] = /^(\d{1,6}) ?(min|hour|hr|day|week)[a-z]*$/i.exec(value) ?? [];
  if (count !== undefined && unit !== undefined) return `${count}${unit.charAt(0).toLowerCase()}`;
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?$/i.test(value)) {
    const utc = `${value.toUpperCase().replace(' ', 'T')}Z`;
    return parseInstant(utc) === undefined ? undefined : utc;
  }
  return nearest(value, ['today', 'yesterday']);
}
