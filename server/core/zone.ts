import { remember } from './bounded.ts';
import { LAST_INSTANT, type Instant } from './time.ts';

/*
 * What the clocks of a time zone show, read from `Intl`, which has it from the IANA database.
 *
 * An offset is what a zone's wall clock is ahead of UTC, in milliseconds; a wall time is what it
 * shows, counted like an instant, as if the wall clock were one in UTC. `Intl` tells the offset at
 * an instant, one microsecond each, and nothing else; transitions are found by looking every three
 * days, and by halving where two looks differ. Since 1970 no zone has changed its clocks twice in
 * less than seven days.
 *
 * Only what is asked for is looked at, and what was found is kept: for each zone some stretches of
 * 25 days. Everything kept is bounded.
 */

/** The clocks of a zone are put forward (`after` > `before`) or back. Offsets, in milliseconds. */
export interface Transition {
  /** The first instant at which the new offset holds. */
  readonly at: Instant;
  readonly before: number;
  readonly after: number;
}

/** A time zone by its IANA name. */
export interface Zone {
  offsetAt(instant: Instant): number;
  /** The first transition in (after, until]. Takes time with the length of the span. */
  nextTransition(after: Instant, until: Instant): Transition | undefined;
  /** The last transition in (after, until]. */
  lastTransition(after: Instant, until: Instant): Transition | undefined;
}

/** No zone was ever further from UTC; the furthest was Manila, 15 h 56 min behind. */
export const FURTHEST_OFFSET_MS = 16 * 3_600_000;

const SECOND_MS = 1000;
const LOOK_MS = 2 ** 28; // 3.1 days
const STRETCH_MS = 8 * LOOK_MS;
/** Forty years of one zone. */
const STRETCHES_KEPT = 600;
/** More than there are names in the IANA database. */
const ZONES_KEPT = 700;
/** They take some 90 KB each, and are needed only where a zone is asked for something new. */
const FORMATS_KEPT = 16;

const zones = new Map<string, Zone>();

/** The zone of a name that `isZone` knows. */
export const zoneOf = (name: string): Zone => remember(zones, ZONES_KEPT, name, makeZone);

const names = new Map<string, boolean>();

/** Whether a name is one of the IANA database, such as `Europe/London`; no offset is. */
export const isZone = (name: string): boolean =>
  name.length <= 64 && remember(names, ZONES_KEPT, name, isKnown);

/** The names of three letters that are the IANA's. `Intl` knows more: `BST` is Dhaka to it. */
const SHORT = /^(?:CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$/i;

/** What `Intl` lists: one name for each zone, and not the others that it has or had. */
let listed: ReadonlySet<string> | undefined;

function isKnown(name: string): boolean {
  if (isUtc(name)) return true;
  if (!/^[a-z]/i.test(name)) return false; // Intl takes offsets such as "+05:30", too
  if (/^(?:[a-z]{3}$|SystemV\/)/i.test(name) && !SHORT.test(name)) return false;
  // A process has its list in a third of the time, and memory, that its first format takes.
  listed ??= new Set(Intl.supportedValuesOf('timeZone'));
  if (listed.has(name)) return true;
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const utc: Zone = {
  offsetAt: () => 0,
  nextTransition: () => undefined,
  lastTransition: () => undefined,
};

/** Whether a zone's name is one of UTC's own. */
export const isUtc = (name: string): boolean => /^(?:Etc\/)?(?:UTC|GMT|UCT|Zulu)$/i.test(name);

const makeZone = (name: string): Zone => (isUtc(name) ? utc : new IntlZone(name));

/** The offset at the start of a stretch, and the transitions in it: (start, start + STRETCH_MS]. */
interface Stretch {
  readonly offset: number;
  readonly transitions: readonly Transition[];
}

class IntlZone implements Zone {
  readonly #name: string;
  readonly #stretches = new Map<number, Stretch>();
  #last: Stretch | undefined;
  #lastIndex = NaN;

  constructor(name: string) {
    this.#name = name;
  }

  offsetAt(instant: Instant): number {
    const { offset, transitions } = this.#stretch(Math.floor(instant / STRETCH_MS));
    return transitions.findLast(({ at }) => at <= instant)?.after ?? offset;
  }

  nextTransition(after: Instant, until: Instant): Transition | undefined {
    const last = Math.floor(until / STRETCH_MS);
    for (let index = Math.floor(after / STRETCH_MS); index <= last; index += 1) {
      const { transitions } = this.#stretch(index);
      const found = transitions.find(({ at }) => at > after);
      if (found !== undefined) return found.at <= until ? found : undefined;
    }
    return undefined;
  }

  lastTransition(after: Instant, until: Instant): Transition | undefined {
    const first = Math.floor(after / STRETCH_MS);
    for (let index = Math.floor(until / STRETCH_MS); index >= first; index -= 1) {
      const { transitions } = this.#stretch(index);
      const found = transitions.findLast(({ at }) => at <= until);
      if (found !== undefined) return found.at > after ? found : undefined;
    }
    return undefined;
  }

  #stretch(index: number): Stretch {
    // Most questions are about the stretch of the one before.
    if (index !== this.#lastIndex || this.#last === undefined) {
      this.#last = this.#found(index);
      this.#lastIndex = index;
    }
    return this.#last;
  }

  #found(index: number): Stretch {
    return remember(this.#stretches, STRETCHES_KEPT, index, () => this.#look(index * STRETCH_MS));
  }

  #look(start: Instant): Stretch {
    const offset = readOffset(this.#name, start);
    const transitions: Transition[] = [];
    let before = offset;
    for (let from = start; from < start + STRETCH_MS; from += LOOK_MS) {
      const after = readOffset(this.#name, from + LOOK_MS);
      if (after !== before) {
        transitions.push({ at: this.#change(from, from + LOOK_MS, before), before, after });
      }
      before = after;
    }
    return { offset, transitions };
  }

  /** The first second in (from, to] at which `before` no longer holds, by halving. */
  #change(from: Instant, to: Instant, before: number): Instant {
    let [low, high] = [Math.floor(from / SECOND_MS), Math.ceil(to / SECOND_MS)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (readOffset(this.#name, middle * SECOND_MS) === before) low = middle;
      else high = middle;
    }
    return high * SECOND_MS;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Reads the end of such as `3/8/2026, GMT-04:00`; without digits it is UTC itself. */
function readOffset(name: string, instant: Instant): number {
  const format = remember(
    formats,
    FORMATS_KEPT,
    name,
    (timeZone) => new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
  );
  const text = format.format(Math.max(-LAST_INSTANT, Math.min(LAST_INSTANT, instant)));
  const [, sign, hours, minutes, seconds = '0'] =
    /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  const ms = ((Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds)) * SECOND_MS;
  return sign === '-' ? -ms : ms;
}
