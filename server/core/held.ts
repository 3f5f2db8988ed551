import type { JobRecord } from './records.ts';
import type { StoreTime, Version } from './store.ts';
import type { Clock, Instant } from './time.ts';

/** A reading of both of this process's clocks. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: Instant;
}

/** Both clocks as they are now. */
export const momentOf = (clock: Clock): Moment => ({
  monotonic: clock.monotonic(),
  wall: clock.wall(),
});

/** Time since then by whichever clock went further: the monotonic one stands still in sleep. */
export const sinceMs = (clock: Clock, then: Moment): number =>
  Math.max(clock.monotonic() - then.monotonic, clock.wall() - then.wall);

/** A record with the version to commit under, and the store time it was read at. */
export interface Held extends StoreTime {
  readonly record: JobRecord;
  readonly version: Version;
  /** Before the call that gave it left, and when its reply came: store time lies in between. */
  readonly askedAt: Moment;
  readonly at: Moment;
}

/** What a decision goes by: a record just read, or one held since an earlier reply. */
export interface Seen extends StoreTime {
  readonly record: JobRecord | undefined;
  readonly version: Version | undefined;
  readonly askedAt: Moment;
  readonly at: Moment;
  /** What it was reckoned from, where it was not just read. */
  readonly from: Held | undefined;
}

/** Reckoned times are not reckoned from again: what each rounds off would add up. */
export function heldOf({ from, record, version, ...rest }: Seen): Held | undefined {
  if (from !== undefined) return from;
  return record === undefined || version === undefined ? undefined : { ...rest, record, version };
}

/**
 * The store time that a held record stands for by now: rather too early than too late, so that a
 * clock that runs too fast gets nothing decided ahead of time.
 */
export const nowOf = (held: Held, clock: Clock): Instant =>
  held.storeNow + Math.floor((clock.monotonic() - held.at.monotonic) * (1 - MOST_DRIFT));

/** By so much of itself a clock may run too fast; machines that ask for the time stay far below. */
const MOST_DRIFT = 0.01;

/** False where its time can't be reckoned: the reply took too long, or a clock stood still. */
export function isReckonable({ askedAt, at }: Held, clock: Clock, withinMs: number): boolean {
  const tookMs = Math.max(at.monotonic - askedAt.monotonic, at.wall - askedAt.wall);
  const wallMs = clock.wall() - at.wall;
  const monotonicMs = clock.monotonic() - at.monotonic;
  return tookMs <= withinMs && Math.abs(wallMs - monotonicMs) <= withinMs;
}
