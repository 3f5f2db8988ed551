import type { RunState } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { stateWord, toneOf, type Tone } from './state.ts';
import { count, dateTime, dayMonth, duration, utc, wallTime } from './time.ts';
import { runUrl } from './urls.ts';

/** One run of the chart: when it was, how long it took, and by how much it came late. */
export interface Taken {
  readonly id: string;
  readonly state: RunState;
  readonly at: Instant;
  readonly ms: number;
  readonly attempts: number;
  /** Null for what is not scheduled, and so can't be late. */
  readonly lateMs: number | null;
}

/** Occurrences that did not run. */
export interface NotTaken {
  readonly state: RunState;
  readonly from: Instant;
  readonly to: Instant;
  readonly count: number;
}

export interface Durations {
  readonly taken: readonly Taken[];
  readonly notTaken: readonly NotTaken[];
  /** What half of the runs, and 95 of 100, took at most; null where none tells. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Null where it is not known. */
  readonly timeoutMs: number | null;
}

/*
 * Heights are pixels and widths are shares of whatever room there is, so that words and marks keep
 * their size on any screen.
 */
const TOP = 18;
const PLOT = 130;
const BOTTOM = TOP + PLOT;
const LATE_TOP = BOTTOM + 26;
const LATE_PLOT = 34;
const LATE_BOTTOM = LATE_TOP + LATE_PLOT;
const HEIGHT = LATE_BOTTOM + 22;
/** So that marks at both ends stay whole. */
const MARGIN = 1.5;
/** A timeout is drawn once a run took this share of it. */
const NEAR = 0.5;
/** Words nearer than this would lie over each other. */
const WORDS_HEIGHT = 13;
/** A start counts as late from here on (views/time.ts has the same). */
const LATE_MS = 1000;

/** How long the newest runs took and how late they came, over time; with the same in words. */
export function durationsChart(all: Durations): Html {
  if (all.taken.length === 0) return html`<p class="none">No run has ended yet.</p>`;
  const chart = measure(all);
  const marks = marksOf(all, chart);
  return html`<figure class="durations">
    <svg class="scale" height="${HEIGHT}" aria-hidden="true">${scaleWords(chart)}</svg>
    <svg class="plot" height="${HEIGHT}" aria-hidden="true">${[
      shapes,
      timeLines(chart),
      levelLines(chart),
      all.notTaken.map((one) => gap(one, chart)),
      chart.late && html`<g class="late">${all.taken.map((one) => lateBar(one, chart))}</g>`,
      marks.map((mark) => markLine(mark, chart)),
      // What went wrong lies above the rest.
      all.taken.toSorted(badLast).map((one) => dot(one, chart)),
    ]}</svg>
    <svg class="marks" height="${HEIGHT}" aria-hidden="true">${markWords(marks, chart)}</svg>
    <figcaption>${legend(all)}<p>${summary(all, chart)}</p></figcaption>
  </figure>`;
}

interface Chart {
  readonly from: Instant;
  readonly to: Instant;
  /** The values that have a line of their own, ascending. */
  readonly levels: readonly number[];
  readonly lateStep: number;
  readonly late: boolean;
  /** Whether any could have come late. */
  readonly scheduled: boolean;
  readonly timeoutMs: number | null;
  readonly x: (at: Instant) => string;
  readonly y: (ms: number) => number;
}

function measure({ taken, notTaken, timeoutMs }: Durations): Chart {
  const instants = [...taken.map(({ at }) => at), ...notTaken.map(({ to }) => to)];
  const [from, to] = [Math.min(...instants), Math.max(...instants)];
  const lengths = taken.map(({ ms }) => ms);
  // Each attempt has its own time: only a run of one says how near it came.
  const alone = Math.max(0, ...taken.map(({ ms, attempts }) => (attempts === 1 ? ms : 0)));
  const near = timeoutMs !== null && alone >= NEAR * timeoutMs ? timeoutMs : null;
  const latest = Math.max(0, ...taken.map(({ lateMs }) => lateMs ?? 0));
  const { levels, share } = scaleOf([...lengths, near ?? 0]);
  return {
    from,
    to,
    levels,
    lateStep: stepFor(Math.max(latest, 2 * LATE_MS), 1),
    late: latest >= LATE_MS,
    scheduled: taken.some(({ lateMs }) => lateMs !== null),
    timeoutMs: near,
    x: (at) => {
      const inside = to === from ? 0.5 : Math.max(0, (at - from) / (to - from));
      return `${(MARGIN + inside * (100 - 2 * MARGIN)).toFixed(2)}%`;
    },
    y: (ms) => round(BOTTOM - PLOT * share(ms)),
  };
}

/** So many times longer than half of the runs, and the rest would lie flat on the ground. */
const WIDE = 20;

/**
 * Which share of the height a length has. Lengths of very different sizes are shown by their
 * orders of magnitude, which the words beside the lines make plain.
 */
function scaleOf(lengths: readonly number[]): {
  readonly levels: readonly number[];
  readonly share: (ms: number) => number;
} {
  const longest = Math.max(...lengths);
  const usual = lengths.toSorted((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? 0;
  if (longest <= WIDE * usual || longest < 10) {
    const step = stepFor(longest, 2);
    return { levels: [0, step, 2 * step], share: (ms) => Math.max(0, ms) / (2 * step) };
  }
  const least = Math.max(1, Math.min(...lengths.filter((ms) => ms > 0)));
  const top = ORDERS.findIndex((order) => order >= longest);
  const bottom = ORDERS.findLastIndex((order) => order <= least);
  const levels = ORDERS.slice(Math.max(0, bottom), top === -1 ? undefined : top + 1);
  const [first, last] = [levels[0] ?? 1, Math.max(longest, levels.at(-1) ?? 10)];
  const span = Math.log(last / first);
  return { levels, share: (ms) => Math.max(0, Math.log(Math.max(ms, first) / first) / span) };
}

const round = (px: number): number => Math.round(px * 10) / 10;

const MS = 1;
const SECOND = 1000 * MS;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps that people count in. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map((n) => n * DAY),
];

const ORDERS = [
  ...[1, 10, 100].map((n) => n * MS),
  ...[1, 10].map((n) => n * SECOND),
  ...[1, 10].map((n) => n * MINUTE),
  ...[1, 10].map((n) => n * HOUR),
  ...[2, 20].map((n) => n * DAY),
];

const stepFor = (most: number, levels: number): number =>
  STEPS.find((step) => step * levels >= most) ?? most;

const scaleWords = ({ levels, lateStep, y }: Chart): Html => html`${levels.map(
  (ms) => html`<text x="100%" y="${y(ms) + 4}">${ms === 0 ? '0' : duration(ms)}</text>`,
)}
    <text x="100%" y="${LATE_TOP + 6}">${duration(lateStep)}</text>
    <text x="100%" y="${LATE_BOTTOM}">late</text>`;

const levelLines = ({ levels, y, late, scheduled }: Chart): Html =>
  html`${levels.map((ms) => level(y(ms)))}${level(LATE_BOTTOM)}${
    scheduled &&
    !late &&
    html`<text x="50%" y="${LATE_BOTTOM - 8}" class="at-mid">all on time</text>`
  }`;

const level = (y: number): Html => html`<line class="level" x1="0" x2="100%" y1="${y}" y2="${y}"/>`;

const TICKS = 5;
const TICK_STEPS = [
  ...[1, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 365].map((n) => n * DAY),
];
/** The epoch was on a Thursday; weeks are told by their Mondays. */
const MONDAY = 4 * DAY;

/** Instants that are easy to tell, in UTC. */
function timeLines({ from, to, x }: Chart): Printable {
  const least = (to - from) / TICKS;
  const step = TICK_STEPS.find((one) => one >= least) ?? least;
  const first = Math.ceil((from - MONDAY) / step) * step + MONDAY;
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => first + i * step);
  return ticks
    .filter((at) => at <= to)
    .map((at) => {
      const share = parseFloat(x(at));
      const side = share < 8 ? 'at-start' : share > 92 ? 'at-end' : 'at-mid';
      return html`<line class="tick" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${LATE_BOTTOM}"/>
        <text x="${x(at)}" y="${HEIGHT - 6}" class="${side}">${tickWords(at)}</text>`;
    });
}

const tickWords = (at: Instant): string => (at % DAY === 0 ? dayMonth(at) : wallTime(at, false));

function gap(one: NotTaken, { from, x }: Chart): Html {
  const [begin, end] = [x(Math.max(from, one.from)), x(one.to)];
  const width = Math.max(0.3, parseFloat(end) - parseFloat(begin)).toFixed(2);
  return html`<rect class="gap ${toneOf(one.state)}" x="${begin}" y="${TOP}" width="${width}%"
    height="${PLOT}"><title>${count(one.count, 'occurrence')} ${one.state}, up to ${utc(one.to)}
    </title></rect>`;
}

function lateBar({ at, lateMs }: Taken, { x, lateStep }: Chart): Printable {
  if (lateMs === null || lateMs < LATE_MS) return null;
  const top = round(LATE_BOTTOM - Math.max(2, (LATE_PLOT * lateMs) / lateStep));
  return html`<line x1="${x(at)}" x2="${x(at)}" y1="${LATE_BOTTOM}" y2="${top}"/>`;
}

interface Mark {
  readonly name: 'p50' | 'p95' | 'timeout';
  readonly ms: number;
}

/** What half of the runs, and nearly all, stayed under; and what none may go beyond. */
const marksOf = ({ taken, p50Ms, p95Ms }: Durations, { timeoutMs }: Chart): Mark[] => [
  ...(p50Ms === null || taken.length === 1 ? [] : [{ name: 'p50', ms: p50Ms } as const]),
  ...(p95Ms === null || taken.length === 1 ? [] : [{ name: 'p95', ms: p95Ms } as const]),
  ...(timeoutMs === null ? [] : [{ name: 'timeout', ms: timeoutMs } as const]),
];

const markLine = ({ name, ms }: Mark, { y }: Chart): Html =>
  html`<line class="${name}" x1="0" x2="100%" y1="${y(ms)}" y2="${y(ms)}"/>`;

/** Beside the lines, from the ground up, none over another. */
function markWords(marks: readonly Mark[], { y }: Chart): Html[] {
  let lowest = Infinity;
  return marks.map(({ name, ms }) => {
    lowest = Math.min(y(ms) + 4, lowest - WORDS_HEIGHT);
    return html`<text x="8" y="${lowest}">${name} ${duration(ms)}</text>`;
  });
}

const badLast = (a: Taken, b: Taken): number =>
  Number(toneOf(a.state) === 'bad') - Number(toneOf(b.state) === 'bad');

/**
 * The table under the chart leads to the same runs, so the keyboard may leave these out. Few words
 * do: a page has many of them.
 */
function dot({ id, state, at, ms, attempts }: Taken, { x, y }: Chart): Html {
  const how = attempts > 1 ? ` in ${attempts} attempts` : '';
  const when = `${dayMonth(at)} ${utc(at).slice(11, 19)}`;
  const title = `${stateWord(state)}, ${when}, ${duration(ms)}${how}`;
  return html`<a href="${runUrl(id)}" tabindex="-1">${shape(
    toneOf(state),
    x(at),
    y(ms),
  )}<title>${title}</title></a>`;
}

/** A full dot, a cross, a ring: told apart without their colours. */
const shape = (tone: Tone, x: string, y: number): Html =>
  tone === 'bad'
    ? html`<use href="#went-wrong" x="${x}" y="${y}"/>`
    : html`<circle class="${tone}" cx="${x}" cy="${y}" r="3"/>`;

const shapes: Html = html`<defs><path id="went-wrong" d="M-4-4 4 4M4-4-4 4"/></defs>`;

const SHAPES = [
  ['good', 'succeeded'],
  ['bad', 'failed, timed out or lost'],
  ['quiet', 'cancelled'],
] as const;

function legend({ taken, notTaken }: Durations): Html {
  const shown = SHAPES.filter(([tone]) => taken.some(({ state }) => toneOf(state) === tone));
  const gaps = (['missed', 'skipped'] as const).filter((one) =>
    notTaken.some(({ state }) => state === one),
  );
  return html`<ul class="legend">${shown.map(
    ([tone, words]) =>
      html`<li><svg class="key" aria-hidden="true">${shape(tone, '50%', 7)}</svg>${words}</li>`,
  )}${gaps.map(
    (state) => html`<li><svg class="key" aria-hidden="true"><rect class="gap ${toneOf(state)}"
      width="100%" height="14"/></svg>${state}</li>`,
  )}</ul>`;
}

/** The chart in words, for everybody. */
function summary({ taken, p50Ms, p95Ms }: Durations, { from, to, scheduled }: Chart): string {
  const [only] = taken;
  if (only !== undefined && taken.length === 1) return oneWords(only);
  const late = taken.filter(({ lateMs }) => (lateMs ?? 0) >= LATE_MS);
  const worst = Math.max(...late.map(({ lateMs }) => lateMs ?? 0));
  const length = p50Ms === null || p95Ms === null ? [] : [lengthWords(p50Ms, p95Ms, taken)];
  const lateness = late.length === 0 ? 'All came on time.' : lateWords(late.length, worst);
  return [
    `The last ${count(taken.length, 'run')}, ${dateTime(from)} to ${dateTime(to)} UTC:`,
    `${outcomeWords(taken)}.`,
    ...length,
    ...(scheduled ? [lateness] : []),
  ].join(' ');
}

const oneWords = ({ state, at, ms }: Taken): string =>
  `The only run that has ended, ${dateTime(at)} UTC: ${stateWord(state)} after ${duration(ms)}.`;

function outcomeWords(taken: readonly Taken[]): string {
  const tally = (tone: Tone): number => taken.filter((one) => toneOf(one.state) === tone).length;
  const [bad, quiet] = [tally('bad'), tally('quiet')];
  return [
    `${tally('good')} succeeded`,
    ...(bad > 0 ? [`${bad} went wrong`] : []),
    ...(quiet > 0 ? [`${quiet} cancelled`] : []),
  ].join(', ');
}

const lengthWords = (p50Ms: number, p95Ms: number, taken: readonly Taken[]): string => {
  const longest = Math.max(...taken.map(({ ms }) => ms));
  const most = `95 of 100 at most ${duration(p95Ms)} (p95), the longest ${duration(longest)}`;
  return `Half took at most ${duration(p50Ms)} (p50), ${most}.`;
};

const lateWords = (n: number, worst: number): string =>
  `${count(n, 'run')} came late, at worst by ${duration(worst)}.`;
