import { isInstant, isoInstant, type Instant } from '../core/time.ts';

/** Both clocks of one machine at one moment. Monotonic clocks compare only within one boot. */
export interface Reading {
  readonly boot: string;
  readonly wall: Instant;
  readonly monotonic: number;
}

export interface ClockState {
  /** Grows when an operator resets the clock: what was seen before counts no more. */
  readonly era: number;
  /** The latest time given out. */
  readonly highWater: Instant;
  /** The last reading that fitted the one before it. */
  readonly trusted: Reading;
  /** The first of a row of readings that do not fit it, but each other; null when there is none. */
  readonly doubted: Reading | null;
}

export interface Policy {
  readonly leaseMs: number;
  readonly regressionMs: number;
}

export interface Judged {
  readonly state: ClockState;
  readonly unsteady: string | null;
  /** What is going on, for a log that tells it once. */
  readonly episode: 'clock_regressed' | 'clock_jumped' | 'machine_restarted' | null;
  readonly behindMs: number;
}

/**
 * Whether a reading of the clocks may be trusted. All processes of a machine share its wall clock,
 * but it can be set, and it jumps when the machine wakes from sleep. A bogus jump would mark years
 * as missed, so a jump is believed only when it has stood for one lease; a clock that is behind
 * what was given out decides nothing until it has caught up. Pure.
 */
export function judge(
  stored: ClockState,
  own: ClockState | undefined,
  reading: Reading,
  policy: Policy,
): Judged {
  const mine = own !== undefined && own.era === stored.era ? own : stored;
  const seen = Math.max(stored.highWater, mine.highWater);
  const state = { era: stored.era, highWater: Math.max(seen, reading.wall) };
  const behindMs = Math.max(0, seen - reading.wall);
  const regressed = behindMs > policy.regressionMs;

  const fits = [mine.trusted, stored.trusted].some((before) => coherent(before, reading, policy));
  const since = fits ? reading : doubtedSince(stored, mine, reading, policy);
  const waitMs = fits ? 0 : policy.leaseMs - (reading.monotonic - since.monotonic);
  const settled = waitMs <= 0;
  const pair = settled
    ? { trusted: reading, doubted: null }
    : { trusted: mine.trusted, doubted: since };
  const now = { state: { ...state, ...pair }, behindMs };

  if (regressed) {
    const unsteady =
      `the clock was set back by ${inWords(behindMs)}: nothing is decided until it has caught up ` +
      `with ${readable(seen)}, or an operator resets the store's clock`;
    return { ...now, unsteady, episode: 'clock_regressed' };
  }
  if (settled) return { ...now, unsteady: null, episode: null };
  const waiting = `waiting ${inWords(waitMs)} before deciding anything`;
  if (mine.trusted.boot !== reading.boot) {
    const unsteady = `the machine was restarted; ${waiting}`;
    return { ...now, unsteady, episode: 'machine_restarted' };
  }
  const ahead = drift(mine.trusted, reading);
  const jump = ahead > 0 ? 'jumped ahead, or the machine slept,' : 'was set back';
  const unsteady = `the clock ${jump} by ${inWords(Math.abs(ahead))}; ${waiting}`;
  return { ...now, unsteady, episode: 'clock_jumped' };
}

/** When the present timeline was first seen, by this process or another; now, if it is new. */
function doubtedSince(
  stored: ClockState,
  mine: ClockState,
  reading: Reading,
  policy: Policy,
): Reading {
  const doubts = [stored.doubted, mine.doubted]
    .filter((doubt) => doubt !== null)
    .filter((doubt) => coherent(doubt, reading, policy));
  return doubts.reduce((a, b) => (b.monotonic < a.monotonic ? b : a), reading);
}

/** By how much the wall clock went further than the monotonic one. */
const drift = (before: Reading, after: Reading): number =>
  after.wall - before.wall - (after.monotonic - before.monotonic);

const coherent = (before: Reading, after: Reading, { regressionMs }: Policy): boolean =>
  before.boot === after.boot && Math.abs(drift(before, after)) <= regressionMs;

const UNITS = [
  [2 * 86_400_000, 86_400_000, 'd'],
  [2 * 3_600_000, 3_600_000, 'h'],
  [120_000, 60_000, 'min'],
  [0, 1000, 's'],
] as const;

/** "3 h", "90 s": rounded up, so that a wait is never "0 s". */
function inWords(ms: number): string {
  const [, size, unit] = UNITS.find(([from]) => ms > from) ?? UNITS[3];
  return `${Math.ceil(ms / size)} ${unit}`;
}

/** Instants beyond what `Date` knows have no name. */
export const readable = (at: Instant): string => (isInstant(at) ? isoInstant(at) : String(at));
