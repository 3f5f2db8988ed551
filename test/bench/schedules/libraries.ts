import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { nextAfter, parseSchedule, type Schedule } from '../../../server/core/schedule.ts';
import type { Instant } from '../../../server/core/time.ts';
import { zoneOf } from '../../../server/core/zone.ts';
import { FROM, UTC } from './expressions.ts';

/** Looks for the occurrences of one schedule, one after another. */
export interface Search {
  /** Goes to an instant. */
  from(at: Instant): void;
  /** Goes to the first occurrence after where it stands, and gives it. */
  next(): Instant | undefined;
}

export interface Library {
  readonly name: string;
  /** As `open`, this throws where the library does not take the text. `name` is what H goes by. */
  parse(text: string, timeZone: string, name: string): unknown;
  open(text: string, timeZone: string): Search;
}

export function read(text: string, timeZone: string, name = 'bench'): Schedule {
  const parsed = parseSchedule({ schedule: text, timeZone }, name);
  if ('schedule' in parsed) return parsed.schedule;
  throw new Error(parsed.problems.map(({ message }) => message).join('; '));
}

export const punctual: Library = {
  name: 'Punctual',
  parse: read,
  open(text, timeZone) {
    const schedule = read(text, timeZone);
    let at = FROM;
    return {
      from: (instant) => (at = instant),
      next() {
        const found = nextAfter(schedule, at);
        at = found ?? at;
        return found;
      },
    };
  },
};

const cronParser: Library = {
  name: 'cron-parser',
  parse: (text, tz, hashSeed) => CronExpressionParser.parse(text, { tz, hashSeed }),
  open(text, tz) {
    const expression = CronExpressionParser.parse(text, { tz, currentDate: new Date(FROM) });
    return {
      from: (instant) => expression.reset(new Date(instant)),
      next: () => expression.next().getTime(),
    };
  },
};

const croner: Library = {
  name: 'croner',
  parse: (text, timezone) => new Cron(text, { timezone }),
  open(text, timezone) {
    const cron = new Cron(text, { timezone });
    let at = new Date(FROM);
    return {
      from: (instant) => (at = new Date(instant)),
      next() {
        const found = cron.nextRun(at);
        at = found ?? at;
        return found?.getTime();
      },
    };
  },
};

export const OTHERS: readonly Library[] = [cronParser, croner];

/**
 * Why a library has no figure for a schedule; undefined if it has one. Its rate says nothing where
 * it names other days, and can't be had where it throws or goes back when clocks are changed.
 */
export function whyNot(library: Library, text: string, timeZone: string): string | undefined {
  let search: Search;
  try {
    search = library.open(text, timeZone);
  } catch {
    return '– refused';
  }
  try {
    if (!namesTheSame(library.open(text, UTC), punctual.open(text, UTC))) return '– other days';
  } catch {
    return '– throws';
  }
  return whyNotThroughChanges(search, timeZone);
}

const COMPARED = 50;
const COMPARED_TO = FROM + 40 * 366 * 86_400_000;

function namesTheSame(search: Search, own: Search): boolean {
  search.from(FROM);
  own.from(FROM);
  for (let i = 0; i < COMPARED; i += 1) {
    const expected = own.next();
    if (expected === undefined || expected > COMPARED_TO) return true;
    if (search.next() !== expected) return false;
  }
  return true;
}

const NEAR_MS = 6 * 3_600_000;
const CHANGES_UNTIL = Date.UTC(2028, 0);
/** Some never leave a clock change behind. A schedule of every ten seconds steps 4320 times. */
const STEPS_LIMIT = 5000;

function whyNotThroughChanges(search: Search, timeZone: string): string | undefined {
  const zone = zoneOf(timeZone);
  let change = zone.nextTransition(FROM, CHANGES_UNTIL);
  while (change !== undefined) {
    const why = whyNotThrough(search, change.at);
    if (why !== undefined) return why;
    change = zone.nextTransition(change.at, CHANGES_UNTIL);
  }
  return undefined;
}

function whyNotThrough(search: Search, change: Instant): string | undefined {
  let at = change - NEAR_MS;
  try {
    search.from(at);
    for (let step = 0; step < STEPS_LIMIT && at <= change + NEAR_MS; step += 1) {
      const next = search.next();
      if (next === undefined) return undefined;
      if (next <= at) return '– goes back';
      at = next;
    }
    return undefined;
  } catch {
    return '– throws';
  }
}
