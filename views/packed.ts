import type { Outcome, Reason } from '../server/core/records.ts';
import type { RunState } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';

/*
 * The last outcomes of a job in as little text as possible, since a page carries 60 of each job and
 * the service keeps those of thousands. A capital letter begins an outcome and says its state, or
 * the reason of a range; the rest is numbers in base 36:
 *
 *   S 9k       it took 9k ms; nothing where it never started
 *   @ 8c       its occurrence came 8c s after the one before; left out where that took as long
 *   + 1o       a range: it began so many seconds earlier
 *   ~ 2        it started so many seconds late
 *   ^ b4       it ended so many seconds later than start and length make: it was tried again
 *   ! 1f0zk3a  a name for an id that can't be made from the job's name and the instants
 *
 * The browser reads it for its tooltips (views/assets/strip.js).
 */

/** What can be read from it again. */
export interface Bar {
  readonly state: RunState;
  readonly ms: number | null;
}

/** What each letter says: a state, and of a range the reason, which stands in its id. */
export const LETTERS: Readonly<Record<string, readonly [state: RunState, reason: Reason | null]>> =
  {
    S: ['succeeded', null],
    F: ['failed', null],
    T: ['timed_out', null],
    L: ['lost', null],
    C: ['cancelled', null],
    K: ['skipped', null],
    M: ['missed', null],
    O: ['skipped', 'overlap'],
    U: ['skipped', 'superseded'],
    P: ['skipped', 'paused'],
    A: ['missed', 'late'],
    G: ['missed', 'outage'],
    Y: ['missed', 'too-many'],
  };

const letterOf: ReadonlyMap<string, string> = new Map(
  Object.entries(LETTERS).map(([letter, [state, reason]]) => [reason ?? state, letter]),
);

/** Outcomes as text, oldest first as they are given. Takes whatever a record may hold. */
export function packOutcomes(job: string, recent: readonly Outcome[]): string {
  // Joined at the end: a text that grows bit by bit keeps all its bits.
  const parts: string[] = [];
  let [last, step] = [0, NaN];
  for (const outcome of recent) {
    const { state, ms, late } = outcome;
    const { reason, from, to, named } = placeOf(job, outcome);
    const second = Math.floor(to / 1000);
    parts.push(letterOf.get(reason ?? state) ?? 'K');
    if (ms !== null) parts.push(base36(Math.max(0, ms)));
    if (second - last !== step) parts.push('@', base36(second - last));
    if (from !== to) parts.push('+', base36(second - Math.floor(from / 1000)));
    if (late !== undefined) parts.push('~', base36(Math.round(late / 1000)));
    const waited = reason === undefined && named ? waitedSeconds(outcome, to) : 0;
    if (waited > 0) parts.push('^', base36(waited));
    if (!named) parts.push('!', nameOfRun(outcome.id));
    [step, last] = [second - last, second];
  }
  return parts.join('');
}

/** `ms` is the length of the last attempt, and `at` its end. */
const waitedSeconds = ({ at, ms, late = 0 }: Outcome, occurrence: Instant): number =>
  ms === null ? 0 : Math.round((at - ms - late - occurrence) / 1000);

export const unpackBars = (packed: string): Bar[] =>
  [...packed.matchAll(/([A-Z])([0-9a-z]*)[^A-Z]*/g)].map(([, letter = '', ms = '']) => ({
    state: LETTERS[letter]?.[0] ?? 'skipped',
    ms: ms === '' ? null : parseInt(ms, 36),
  }));

/** A short name of a run, enough to tell the last ones of a job apart (FNV-1a of 32 bits). */
export function nameOfRun(id: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0;
  }
  return base36(hash);
}

const base36 = (n: number): string => n.toString(36);

interface Place {
  readonly reason: string | undefined;
  readonly from: Instant;
  readonly to: Instant;
  /** Whether the id follows from the rest. */
  readonly named: boolean;
}

/** Where an outcome stands: at its occurrence, which its id tells, or where it ended. */
function placeOf(job: string, { id, at }: Outcome): Place {
  const unnamed = { reason: undefined, from: at, to: at, named: false };
  if (!id.startsWith(job) || id[job.length] !== '@') return unnamed;
  const [span = '', reason] = id.slice(job.length + 1).split('~');
  const [first = '', second = first] = span.split('..');
  const from = instantOf(first);
  const to = second === first ? from : instantOf(second);
  const isRange = second !== first || span !== first;
  const known = isRange ? letterOf.has(reason ?? '') : reason === undefined;
  if (from === undefined || to === undefined || !known) return unnamed;
  return { reason, from, to, named: true };
}

/** An instant as ids have it, to the second; undefined for anything else. */
function instantOf(compact: string): Instant | undefined {
  if (compact.length !== 16 || compact[8] !== 'T' || compact[15] !== 'Z') return undefined;
  const [year, month, day] = [digits(compact, 0, 4), digits(compact, 4, 6), digits(compact, 6, 8)];
  const [hour, minute] = [digits(compact, 9, 11), digits(compact, 11, 13)];
  const second = digits(compact, 13, 15);
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  // What no calendar or clock shows would come to another instant.
  const isShown =
    year >= 1000 && month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60;
  return isShown && new Date(at).getUTCDate() === day ? at : undefined;
}

/** The number that a part of a text spells; NaN where anything but digits stands there. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
