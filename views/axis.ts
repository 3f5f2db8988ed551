import type { Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { dayTime, shortDay, wallTime } from './time.ts';

/*
 * One axis for all lanes: now in the middle, as much before it as after it. It moves on by whole
 * units, so that a page that is asked for again within one is the same.
 */

/** How far a timeline looks, in hours each way; the first is what it does unless asked. */
export const REACHES = [24, 6, 72] as const;
export type Reach = (typeof REACHES)[number];

const HOUR = 3_600_000;
/** Units in one half. */
export const HALF = 1440;
export const WIDTH = 2 * HALF;
/** The height of a lane's track, in pixels. */
export const HEIGHT = 28;

export interface Axis {
  readonly hours: Reach;
  /** Where its left end is, where its middle, and where its right end. */
  readonly from: Instant;
  readonly middle: Instant;
  readonly to: Instant;
  readonly unitMs: number;
}

export function axisAround(now: Instant, hours: Reach): Axis {
  const half = hours * HOUR;
  const unitMs = half / HALF;
  const middle = Math.ceil(now / unitMs) * unitMs;
  return { hours, from: middle - half, middle, to: middle + half, unitMs };
}

/** Where an instant lies, in whole units; what lies outside is at the nearer end. */
export const xOf = ({ from, unitMs }: Axis, at: Instant): number =>
  Math.max(0, Math.min(WIDTH, Math.round((at - from) / unitMs)));

/** Hours between two ticks, and between two that a phone has room for. */
const TICKS: Readonly<Record<Reach, readonly [hours: number, major: number]>> = {
  6: [1, 3],
  24: [3, 12],
  72: [12, 24],
};

/** A label would be cut off so near to an end. */
const EDGE = 60;

interface Tick {
  readonly at: Instant;
  readonly x: number;
  readonly major: boolean;
}

export function ticksOf(axis: Axis): Tick[] {
  const [hours, major] = TICKS[axis.hours];
  const step = hours * HOUR;
  const found: Tick[] = [];
  for (let at = Math.ceil(axis.from / step) * step; at <= axis.to; at += step) {
    found.push({ at, x: xOf(axis, at), major: at % (major * HOUR) === 0 });
  }
  return found;
}

const percent = (x: number): string => `${Math.round((x / WIDTH) * 10_000) / 100}%`;

/** The labels, in UTC and, where the page's script runs, in the viewer's own zone. */
export function axisLabels(axis: Axis): Html {
  const shown = ticksOf(axis).filter(({ x }) => x >= EDGE && x <= WIDTH - EDGE);
  return html`<svg class="axis" width="100%" height="50" role="img"
    aria-label="From ${dayTime(axis.from)} to ${dayTime(axis.to)} UTC, now in the middle">
    <text class="now" x="50%" y="12">now</text>${shown.map(
      ({ at, x, major }) => html`<g class="${major ? 'major' : 'minor'}">
      <text x="${percent(x)}" y="29">${at % (24 * HOUR) === 0 ? shortDay(at) : wallTime(at)}</text>
      <text class="here" x="${percent(x)}" y="45" data-here-at="${at}"></text></g>`,
    )}
  </svg>`;
}

/** The lines that stand in every lane, and what fills stretches; each lane refers to these. */
export const drawnOnce = (axis: Axis): Html => html`<svg class="defs" width="0" height="0"
  aria-hidden="true" focusable="false"><defs>
  <g id="tl-grid"><path class="tick" d="${ticksOf(axis).map(
    ({ x }) => `M${x} 0v${HEIGHT}`,
  )}"/><path class="middle" d="M${HALF} 0v${HEIGHT}"/></g>
  ${['missed', 'skipped', 'paused'].map(
    (name) => html`<pattern id="tl-${name}" width="18" height="6" patternUnits="userSpaceOnUse">
      <path class="${name}" d="M-4.5 4.5L4.5 -1.5M0 6L18 0M13.5 7.5L22.5 1.5"/></pattern>`,
  )}
  <pattern id="tl-dense" width="12" height="${HEIGHT}" patternUnits="userSpaceOnUse">
    <path class="dense" d="M3 0v${HEIGHT}"/></pattern>
</defs></svg>`;
