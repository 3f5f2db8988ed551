import { isInstant, isoInstant, type Instant } from '../core/time.ts';

/** Both clocks of one machine at one moment. Monotonic clocks compare only within one boot. */
export interface Reading {
  readonly boot: string;
  readonly wall: Instant;
  readonly monotonic: number;
}

/** A reading in doubt. */
export interface Doubt extends Reading {
  /** Something that was written since bears the time of that clock. */
  readonly stamped?: boolean;
}

export interface ClockState {
  /** Grows when an operator resets the clock: what was seen before counts no more. */
  readonly era: number;
  /** The latest time given out that counts: what was merely read in doubt may be taken back. */
  readonly highWater: Instant;
  /** The last reading that fitted the one before it. */
  readonly trusted: Reading;
  /** The first of a row of readings that do not fit it, but each other; null when there is none. */
  readonly doubted: Doubt | null;
  /** The doubt on record that this process has waited out, and written nothing since. */
  readonly outwaited?: Doubt | null;
}

export interface Policy {
  readonly leaseMs: number;
  readonly regressionMs: number;
}

export interface Judged {
  readonly state: ClockState;
  /** The store's time by this reading. What bears it must raise the state's high water to it. */
  readonly storeNow: Instant;
  readonly unsteady: string | null;
  /** What is going on, for a log that tells it once. */
  readonly episode:
    'clock_regressed' | 'clock_jumped' | 'machine_restarted' | 'clocks_differ' | null;
  readonly behindMs: number;
}

/**
 * Whether a reading of the clocks may be trusted. All processes of a machine share its wall clock,
 * but it can be set, and it jumps when the machine wakes from sleep. A bogus jump would mark years
 * as missed, so a jump is believed only when it has stood for one lease. A clock that is behind
 * what was given out decides nothing until it has caught up: time stands still meanwhile. A step
 * that is taken back leaves no trace, unless it was one back and something was written under it:
 * leases were renewed by a time that stood still, so that to go on is a jump as well. Pure.
 */
export function judge(
  stored: ClockState,
  own: ClockState | undefined,
  reading: Reading,
  policy: Policy,
): Judged {
  const mine = own !== undefined && own.era === stored.era ? own : stored;
  const seen = Math.max(stored.highWater, mine.highWater);
  const storeNow = Math.max(seen, reading.wall);
  const behindMs = Math.max(0, seen - reading.wall);
  const regressed = behindMs > policy.regressionMs;

  const { outwaited = null } = mine;
  const onRecord = outwaited?.monotonic === stored.doubted?.monotonic ? null : stored.doubted;
  const doubts = [onRecord, mine.doubted].filter((doubt) => doubt !== null);
  const left = doubts.find((doubt) => doubt.stamped === true && leaps(doubt, reading, policy));
  const trusted = left ?? newer(mine.trusted, stored.trusted);
  const fits = coherent(trusted, reading, policy);
  const same = doubts.filter((doubt) => coherent(doubt, reading, policy));
  const since = same.reduce((a, b) => (b.monotonic < a.monotonic ? b : a), reading);
  // Who still sees another time than we since then does so now, too: no step, but two clocks.
  const apart = !fits && trusted.boot === reading.boot && trusted.monotonic > since.monotonic;
  const doubtMs = reading.monotonic - (apart ? trusted : since).monotonic;
  const waitMs = fits ? 0 : policy.leaseMs - doubtMs;
  const believed = waitMs <= 0;
  const doubted = { ...since, stamped: same.some(({ stamped }) => stamped === true) };
  const over = fits ? outwaited : stored.doubted;
  // What is not believed moves nothing.
  const state = believed
    ? { era: stored.era, highWater: storeNow, trusted: reading, doubted: null, outwaited: over }
    : { era: stored.era, highWater: seen, trusted, doubted, outwaited };
  const now = { state, storeNow, behindMs };

  if (regressed) {
    const unsteady =
      `the clock was set back by ${inWords(behindMs)}: nothing is decided until it has caught up ` +
      `with ${readable(seen)}, or an operator resets the store's clock`;
    return { ...now, unsteady, episode: 'clock_regressed' };
  }
  if (believed) return { ...now, unsteady: null, episode: null };
  const waiting = `waiting ${inWords(waitMs)} before deciding anything`;
  if (trusted.boot !== reading.boot) {
    const unsteady = `the machine was restarted; ${waiting}`;
    return { ...now, unsteady, episode: 'machine_restarted' };
  }
  const ahead = drift(trusted, reading);
  const by = inWords(Math.abs(ahead));
  if (apart) {
    const how = ahead > 0 ? 'behind' : 'ahead';
    const unsteady = `another process sees a clock that is ${by} ${how}; ${waiting}`;
    return { ...now, unsteady, episode: 'clocks_differ' };
  }
  const jump = ahead > 0 ? 'jumped ahead, or the machine slept,' : 'was set back';
  const unsteady = `the clock ${jump} by ${by}; ${waiting}`;
  return { ...now, unsteady, episode: 'clock_jumped' };
}

/** The state once something was written that bears this time. */
export const stamped = ({ state, storeNow }: Judged): ClockState => ({
  ...state,
  highWater: storeNow,
  doubted: state.doubted && { ...state.doubted, stamped: true },
});

/** What was seen last. Another process may have seen later than this one that the clock was set. */
const newer = (mine: Reading, stored: Reading): Reading =>
  mine.boot === stored.boot && stored.monotonic > mine.monotonic ? stored : mine;

/** By how much the wall clock went further than the monotonic one. */
const drift = (before: Reading, after: Reading): number =>
  after.wall - before.wall - (after.monotonic - before.monotonic);

const leaps = (before: Reading, after: Reading, { regressionMs }: Policy): boolean =>
  before.boot === after.boot && drift(before, after) > regressionMs;

const coherent = (before: Reading, after: Reading, { regressionMs }: Policy): boolean =>
  before.boot === after.boot && Math.abs(drift(before, after)) <= regressionMs;

const UNITS = [
  [2 * 86_400_000, 86_400_000, 'd'],
  [2 * 3_600_000, 3_600_000, 'h'],
  [120_000, 60_000, 'min'],
  [0, 1000, 's'],
] as const;

/** "3 h", "90 s": seconds are rounded up, so that a wait is never "0 s". */
function inWords(ms: number): string {
  const [, size, unit] = UNITS.find(([from]) => ms > from) ?? UNITS[3];
  return `${unit === 's' ? Math.ceil(ms / size) : Math.round(ms / size)} ${unit}`;
}

/** Instants beyond what `Date` knows have no name. */
export const readable = (at: Instant): string => (isInstant(at) ? isoInstant(at) : String(at));
