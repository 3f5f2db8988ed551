import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import type { StoreTime } from '../core/store.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Connection } from './sqlite-connection.ts';
import {
  judge,
  type ClockState,
  type Judged,
  type Policy,
  readable,
  stamped,
  type Reading,
} from './sqlite-clock-judge.ts';

export type Log = (
  level: 'info' | 'warn',
  event: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

export interface StoreClockOptions extends Policy {
  readonly clock: Clock;
  readonly boot: string;
  readonly log: Log;
}

/**
 * The store's time: the machine's wall clock, but never behind what was given out before. Each call
 * belongs inside a transaction: it reads what other processes saw, and `stamp` leaves word of ours.
 */
export interface StoreClock {
  read(): StoreTime;
  /** A time for what is being written: not before any stamp, nor any time that was not in doubt. */
  stamp(): StoreTime;
  /** For what is written and bears no time: leaves word of what this process saw. */
  mark(): void;
  /** For opening: notes a doubt for those who come later, and gives out no time. */
  notice(): void;
  /** Takes the present wall clock for right; gives the time there was before, and the new one. */
  reset(): { readonly before: Instant; readonly now: Instant };
}

export function storeClock(connection: Connection, options: StoreClockOptions): StoreClock {
  const { clock, boot } = options;
  const say = announcer(options.log);
  let own: ClockState | undefined;

  // In this order: where the process is stopped in between, the wall clock is right all the same.
  const reading = (): Reading => ({
    boot,
    monotonic: clock.monotonic(),
    wall: Math.floor(clock.wall()),
  });
  const look = (): Judged => {
    const now = reading();
    const judged = judge(load(connection) ?? begin(now), own, now, options);
    own = judged.state;
    say(judged);
    return judged;
  };
  return {
    read: () => timeOf(look()),
    stamp() {
      const judged = look();
      own = stamped(judged);
      save(connection, own);
      return timeOf(judged);
    },
    mark: () => save(connection, look().state),
    notice() {
      const now = reading();
      const known = load(connection);
      if (known === undefined) assertSet(now, 'no database is made');
      const before = known ?? begin(now);
      const { state } = judge(before, own, now, options);
      save(connection, { ...state, highWater: before.highWater });
    },
    reset() {
      const now = reading();
      assertSet(now, 'the clock is not accepted');
      const before = load(connection) ?? begin(now);
      own = { era: before.era + 1, highWater: now.wall, trusted: now, doubted: null };
      save(connection, own);
      return { before: Math.max(before.highWater, now.wall), now: now.wall };
    },
  };
}

const timeOf = ({ storeNow, unsteady }: Judged): StoreTime => ({ storeNow, unsteady });

/** Before this no clock was set that shows it: it began to run there, as some do in 1970. */
const NEVER_SET: Instant = Date.UTC(2001, 0, 1);

/**
 * What is put on record under such a clock would be missed for years as soon as it is set. Where a
 * clock was seen before, it is only waited for.
 */
function assertSet({ wall }: Reading, what: string): void {
  if (wall >= NEVER_SET) return;
  throw new Error(
    `${what}: this machine's clock shows ${readable(wall)}, so it was never set; right would be ` +
      'the time of day, from NTP or by hand',
  );
}

/** A new database has seen nothing that its first reading could contradict. */
const begin = (now: Reading): ClockState => ({ era: 0, highWater: 0, trusted: now, doubted: null });

function load(connection: Connection): ClockState | undefined {
  return (connection.kept.clock ??= stored(connection));
}

function stored(connection: Connection): ClockState | undefined {
  const row = connection.get('SELECT era, high_water, trusted, doubted FROM clock WHERE id = 1');
  if (row === undefined) return undefined;
  return {
    era: Number(row['era']),
    highWater: Number(row['high_water']),
    // Where somebody edited it beyond use, any reading is new to us: wait, as after a restart.
    trusted: readingOf(row['trusted']) ?? { boot: '', wall: 0, monotonic: 0 },
    doubted: readingOf(row['doubted']) ?? null,
  };
}

function readingOf(json: unknown): Reading | undefined {
  const value: unknown = JSON.parse(String(json));
  return isReading(value) ? value : undefined;
}

const isReading = (value: unknown): value is Reading =>
  typeof value === 'object' &&
  value !== null &&
  'boot' in value &&
  typeof value.boot === 'string' &&
  'wall' in value &&
  typeof value.wall === 'number' &&
  'monotonic' in value &&
  typeof value.monotonic === 'number';

function save(connection: Connection, { era, highWater, trusted, doubted }: ClockState): void {
  connection.kept.clock = { era, highWater, trusted, doubted };
  connection.run(
    `INSERT INTO clock (id, era, high_water, trusted, doubted) VALUES (1, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET era = excluded.era, high_water = excluded.high_water,
       trusted = excluded.trusted, doubted = excluded.doubted`,
    era,
    highWater,
    JSON.stringify(trusted),
    JSON.stringify(doubted),
  );
}

/** Logs each episode once: its beginning, and its end. */
function announcer(log: Log): (judged: Judged) => void {
  let told: string | null = null;
  return ({ episode, unsteady, storeNow, behindMs }) => {
    if (episode === told) return;
    told = episode;
    if (episode === null) return log('info', 'clock_steady', {});
    log('warn', episode, { reason: unsteady, storeNow, behindMs });
  };
}

/** Tells one start of the machine from the next; where the system has no name for it, its time. */
export function bootIdentity(now: Instant): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    const startedAt = now - uptime() * 1000;
    return `${hostname()}:${Math.round(startedAt / 600_000)}`;
  }
}
