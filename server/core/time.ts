/** Milliseconds since the epoch. */
export type Instant = number;

/** Where `Date` ends; as far from the epoch as it begins. Beyond it, formatting throws. */
export const LAST_INSTANT: Instant = 8.64e15;

/** Whether what somebody may have edited by hand is an instant that can be formatted. */
export const isInstant = (value: unknown): value is Instant =>
  typeof value === 'number' && Math.abs(value) <= LAST_INSTANT;

/**
 * Stands in a record for "the time of the commit that writes this": every store replaces it by its
 * own clock's reading, so that no other machine's clock gets on record.
 */
export const STAMP: Instant = -1;

/** Clocks and waiting, handed to the core so that tests and the simulation own time. */
export interface Clock {
  /** Milliseconds that never go back; only differences mean anything. */
  monotonic(): number;
  /** The machine's wall clock: for log lines, the one-machine store, and to notice a sleep. */
  wall(): Instant;
  /**
   * Calls back once after `ms`, unless cancelled. Keeps the process alive until then. A machine's
   * timers may be some milliseconds late; what is to be `exact` keeps it busy just before.
   */
  after(ms: number, call: () => void, exact?: boolean): Cancel;
}

export type Cancel = () => void;

/** Resolves after `ms`, or at once when the signal is aborted; never rejects. */
export const sleep = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  asleep((done) => clock.after(ms, done), signal);

/** The same, to the millisecond. */
export const sleepExactly = (clock: Clock, ms: number): Promise<void> =>
  asleep((done) => clock.after(ms, done, true));

function asleep(until: (done: () => void) => Cancel, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = until(done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** A length of time for people, to three digits or so: `12 s`, `1.4 s`. */
export const secondsText = (ms: number): string =>
  `${ms < 10_000 ? Number((ms / 1000).toFixed(1)) : Math.round(ms / 1000)} s`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration in code: `'10m'`, `'1.5h'`, or milliseconds as a number. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

/**
 * Reads a duration as whole milliseconds; `undefined` when it is not one. Units: ms, s, m, h, d.
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^(-?\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(value);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
}

/** The shortest text of a duration, in its largest whole unit: `'15m'`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  const fits = Object.entries(UNITS).findLast(([, length]) => ms % length === 0);
  const [unit, length] = fits ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

/**
 * An instant as it stands in ids: `20260131T160000Z`, with milliseconds only where there are any.
 */
export function compactInstant(at: Instant): string {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  if (at % SECOND !== 0 || year < 1000 || year > 9999) {
    return date.toISOString().replaceAll('-', '').replaceAll(':', '').replace('.000Z', 'Z');
  }
  // The id of each run is made here, so the usual case is spelt out: it takes a fifth of the time.
  const [month, day] = [two(date.getUTCMonth() + 1), two(date.getUTCDate())];
  const [hour, minute] = [two(date.getUTCHours()), two(date.getUTCMinutes())];
  return `${year}${month}${day}T${hour}${minute}${two(date.getUTCSeconds())}Z`;
}

const SECOND = 1000;
const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);

/** Reads an RFC 3339 instant, such as `2026-03-07T07:30:00Z`; `undefined` when it is not one. */
export function parseInstant(text: string): Instant | undefined {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;
  const at = form.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : at;
}

export const isoInstant = (at: Instant): string => new Date(at).toISOString();

/**
 * Every constant of the protocol that is a length of time, derived from the lease and the tick, so
 * that a test can make all of them small together.
 */
export interface Timing {
  readonly leaseMs: number;
  readonly tickMs: number;
  /** Beats are sent this often, spread by ± 10 %. */
  readonly renewEveryMs: number;
  /** An occurrence older than this was missed by our wake-ups; younger is merely our own delay. */
  readonly lateAfterMs: number;
  /** An occurrence at most this far ahead is waited for. */
  readonly earlyMs: number;
  /** A wall clock this far behind what the store has seen is a clock set back. */
  readonly regressionMs: number;
  /** A store time read longer ago than this is not used for a commit. */
  readonly staleReadMs: number;
  /** A job whose record cannot be used is left alone for this long. */
  readonly quarantineMs: number;
  /** An older build takes over when no newer one was seen for this long. */
  readonly rollbackAfterMs: number;
  /** How often a living build and tick are noted. */
  readonly seenEveryMs: number;
  /** With no room for more, jobs are looked through for lost leases this often. */
  readonly thoroughEveryMs: number;
  /** How long a tick's request may carry runs: the next tick waits for its answer. */
  readonly tickCarriesMs: number;
  /** The timer looks again at least this often. */
  readonly timerMaxSleepMs: number;
}

/** Grace and safety of a lease: 5 s of the default 90 s, never under 200 ms. */
/** A reckoned time may be so far ahead; further, it is of a clock that was set back since. */
export const AHEAD_MS = 5000;

/** Whether a time that was noted earlier is one of before the clock was set back. */
export const isAhead = (at: Instant, now: Instant): boolean => at > now + AHEAD_MS;

export const graceOf = (leaseMs: number): number => Math.max(200, Math.round(leaseMs / 18));

export function timing(base: { readonly leaseMs: number; readonly tickMs: number }): Timing {
  const { leaseMs, tickMs } = base;
  return {
    leaseMs,
    tickMs,
    renewEveryMs: Math.round(leaseMs / 3),
    lateAfterMs: Math.round(tickMs * 2.5),
    earlyMs: Math.round(tickMs / 30),
    regressionMs: graceOf(leaseMs),
    staleReadMs: graceOf(leaseMs),
    quarantineMs: tickMs * 5,
    rollbackAfterMs: tickMs * 10,
    seenEveryMs: tickMs * 5,
    thoroughEveryMs: Math.round(tickMs / 12),
    tickCarriesMs: Math.round((tickMs * 2) / 3),
    timerMaxSleepMs: Math.round(tickMs / 2),
  };
}
