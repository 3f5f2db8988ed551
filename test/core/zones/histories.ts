import { DAY, readOffset, type Span } from './reference.ts';

/** A change of a zone's offset: `at` is the first instant with the new one. All in ms. */
export interface Transition {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** What the clocks of these zones have in common from 2020 to 2038: everything. */
export interface History {
  readonly zones: readonly [string, ...string[]];
  readonly offset: number;
  readonly transitions: readonly Transition[];
}

const YEARS: Span = { from: Date.UTC(2020, 0), to: Date.UTC(2038, 0) };

/** Every zone that this Node.js knows; UTC is not among those that it lists. */
export const ZONES: readonly string[] = [
  ...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC']),
];

/** The zones, together where their clocks agree through all the years. */
export function findHistories(): History[] {
  const found = new Map<string, History>();
  for (const zone of ZONES) {
    const offset = readOffset(zone, YEARS.from);
    const transitions = transitionsOf(zone, YEARS);
    const key = JSON.stringify([offset, transitions]);
    const zones = found.get(key)?.zones;
    found.set(key, { zones: zones ? [...zones, zone] : [zone], offset, transitions });
  }
  return [...found.values()];
}

/**
 * A zone's transitions in a span, found by comparing its offset day by day (or by another step).
 * Two that cancel each other out within one step would be missed.
 */
export function transitionsOf(zone: string, { from, to }: Span, step = DAY): Transition[] {
  const found: Transition[] = [];
  let before = readOffset(zone, from);
  for (let at = from; at < to; at += step) {
    const after = readOffset(zone, at + step);
    if (after !== before) found.push({ at: firstWith(zone, after, at, at + step), before, after });
    before = after;
  }
  return found;
}

/** The first instant in (without, with] that has the offset, to the second. */
function firstWith(zone: string, offset: number, without: number, having: number): number {
  if (having - without <= 1000) return having;
  const middle = Math.floor((without + having) / 2000) * 1000;
  return readOffset(zone, middle) === offset
    ? firstWith(zone, offset, without, middle)
    : firstWith(zone, offset, middle, having);
}
