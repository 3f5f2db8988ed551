import type { Ended, Lane, Occurrences, Underway } from '../server/core/timeline.ts';
import type { RunState } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { HALF, HEIGHT, WIDTH, xOf, type Axis } from './axis.ts';
import type { ListedJob } from './listed-job.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { DETAILS, marksOf, type Block, type Detail, type Mark } from './marks.ts';
import { scheduleWords } from './schedule-words.ts';
import { stateWord, type Tone } from './state.ts';
import { count, dayTime, duration, number } from './time.ts';
import { jobUrl, runUrl } from './urls.ts';
import { firstLine } from './why.ts';

/*
 * A lane's track. Outcomes differ in shape as well as in colour: what succeeded is a block, what
 * failed is taller and broken, what did not run is a stub, or hatched where it is a stretch, what
 * is to come an outline.
 */

/** A lane, and the job that it is about. */
export interface JobLane extends Lane {
  readonly job: ListedJob;
}

/** Bytes that the tracks of one page may take: they are most of it. */
const TRACKS_SIZE = 110_000;

/**
 * The tracks of a page's lanes, so closely drawn that together they stay within their size: lanes
 * with more to draw than others give way first.
 */
export function tracksOf(lanes: readonly JobLane[], axis: Axis): Html[] {
  const finest = lanes.map((lane) => drawnAt(lane, axis, 0));
  const most = fairShare(
    finest.map(({ size }) => size),
    TRACKS_SIZE,
  );
  return lanes.map((lane) => {
    let level = 0;
    while (drawnAt(lane, axis, level).size > most && level < DETAILS.length - 1) level += 1;
    return drawnAt(lane, axis, level).track;
  });
}

interface Drawn {
  readonly track: Html;
  readonly size: number;
}

/** What was drawn of a lane, by its level of detail: a lane that is the same is drawn once. */
const known = new WeakMap<JobLane, { readonly axis: Axis; readonly levels: Map<number, Drawn> }>();

function drawnAt(lane: JobLane, axis: Axis, level: number): Drawn {
  let kept = known.get(lane);
  if (kept?.axis !== axis) {
    kept = { axis, levels: new Map() };
    known.set(lane, kept);
  }
  let drawn = kept.levels.get(level);
  if (drawn === undefined) {
    const detail = DETAILS[level] ?? { links: 1, apart: WIDTH, single: 1 };
    const made = track(lane, axis, detail);
    drawn = { track: made, size: encoder.encode(made.markup).length };
    kept.levels.set(level, drawn);
  }
  return drawn;
}

const encoder = new TextEncoder();

/** What each may take at most, where those that need less leave the rest to the others. */
function fairShare(sizes: readonly number[], whole: number): number {
  let left = whole;
  for (const [i, size] of sizes.toSorted((a, b) => a - b).entries()) {
    const share = left / (sizes.length - i);
    if (size > share) return share;
    left -= size;
  }
  return Infinity;
}

/** The whole track of a lane. */
export function track(lane: JobLane, axis: Axis, detail: Detail): Html {
  const marks = marksOf(lane.ended, axis, detail);
  return html`<svg class="track" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"
    role="group" aria-label="${laneWords(lane, axis)}">${pausedPart(lane, axis)}<use
    href="#tl-grid"/>${unknownPart(lane, axis)}${comingPart(lane, axis, detail)}${lateParts(
      marks,
      axis,
      detail,
    )}${TONES.map((tone) => layer(lane, tone, marks))}${underwayPart(lane, axis, detail)}</svg>`;
}

/** For those who can't see it. */
function laneWords({ name, ended, coming }: JobLane, { hours }: Axis): string {
  const ahead =
    coming.bands.length > 0 ? 'many occurrences' : count(coming.at.length, 'occurrence');
  const behind = tally(ended) || 'nothing ended';
  return `${name}, last ${hours} hours: ${behind}; next ${hours} hours: ${ahead}`;
}

/** `12 succeeded, 1 failed`; nothing of nothing. */
export function tally(ended: readonly Ended[]): string {
  const counts = new Map<RunState, number>();
  for (const { state, stretch } of ended) {
    counts.set(state, (counts.get(state) ?? 0) + (stretch?.count ?? 1));
  }
  return [...counts].map(([state, n]) => `${number(n)} ${stateWord(state)}`).join(', ');
}

/** In the order in which they are drawn: what is bad stands on top. */
const TONES = ['quiet', 'good', 'bad'] as const;

function layer(lane: JobLane, tone: Tone, marks: readonly Mark[]): Printable {
  const own = marks.filter((mark) => mark.tone === tone);
  return own.length > 0 && html`<g class="${tone}">${own.map((mark) => markLink(lane, mark))}</g>`;
}

/** Opens its run: of several the newest. In a lane, arrow keys go from one to the next. */
function markLink({ name }: JobLane, mark: Mark): Html {
  const ended = mark.blocks.flatMap((block) => block.ended);
  const newest = ended.at(-1);
  return html`<a href="${newest && endedUrl(name, newest)}" tabindex="-1"><title>${endedWords(
    ended,
  )}</title>${shapeOf(mark)}</a>`;
}

const endedUrl = (job: string, { id, short }: Ended): string =>
  id === null ? jobUrl(job, `/last/${pathPart(short)}`) : runUrl(id);

function shapeOf({ tone, hatched, blocks }: Mark): Html {
  if (!hatched) return html`<path d="${blocks.map((block) => blockShape(tone, block))}"/>`;
  const fill = tone === 'bad' ? 'missed' : 'skipped';
  const boxes = blocks.map(({ x, width }) => box(x, 8, Math.max(width, NARROWEST_STRETCH), 14));
  return html`<path fill="url(#tl-${fill})" d="${boxes}"/>`;
}

function blockShape(tone: Tone, { x, width }: Block): string {
  if (tone === 'bad') return box(x, 2, width, 14) + box(x, 20, width, 6);
  return tone === 'quiet' ? box(x, 17, width, 5) : box(x, 8, width, 14);
}

/** Hatching can't be told from a block where it is narrower. */
const NARROWEST_STRETCH = 14;

/** What has no width is a line, which its stroke makes visible. */
const box = (x: number, y: number, width: number, height: number): string =>
  width === 0 ? `M${x} ${y}v${height}` : `M${x} ${y}h${width}v${height}h${-width}z`;

const LONGEST_TEXT = 100;

function endedWords(ended: readonly Ended[]): string {
  const [first, ...others] = ended;
  const last = ended.at(-1);
  if (first === undefined || last === undefined) return '';
  if (others.length > 0) {
    const from = dayTime(wholeMinute(first.from));
    const to = dayTime(wholeMinute(Math.max(...ended.map((one) => one.to))));
    return `${tally(ended)}, ${from} to ${to}: opens the newest`;
  }
  return first.stretch === null ? runWords(first) : stretchWords(first, first.stretch);
}

const wholeMinute = (at: Instant): Instant => at - (at % 60_000);

function runWords({ state, from, to, lateMs, error }: Ended): string {
  const length = to > from ? `, ${duration(to - from)}` : '';
  const late = lateMs > 0 ? `, ${duration(lateMs)} late` : '';
  const why = error === null ? '' : `: ${shortened(error)}`;
  return `${dayTime(from)} ${stateWord(state)}${length}${late}${why}`;
}

/** Somebody’s text, as far as there is room for it. */
export const shortened = (text: string): string => firstLine(text, LONGEST_TEXT);

function stretchWords(
  { state, from, to }: Ended,
  { count: n, atLeast, reason }: NonNullable<Ended['stretch']>,
): string {
  const many = n === null ? '' : `${atLeast ? 'at least ' : ''}${number(n)} `;
  const when = from === to ? dayTime(from) : `${dayTime(from)} to ${dayTime(to)}`;
  return `${when}: ${many}${stateWord(state)}${reason === null ? '' : `, ${reason}`}`;
}

/** From when a run should have started to its start; the longest first. */
function lateParts(marks: readonly Mark[], axis: Axis, { single }: Detail): Printable {
  const leads = marks
    .flatMap(({ blocks }) => blocks)
    .map(({ x, ended }) => {
      const from = xOf(axis, Math.min(...ended.map((one) => one.from - one.lateMs)));
      return { from, width: x - from };
    })
    .filter(({ width }) => width > 0)
    .toSorted((a, b) => b.width - a.width)
    .slice(0, single);
  const d = leads.map(({ from, width }) => `M${from} 11v8M${from} 15h${width}`);
  return leads.length > 0 && html`<path class="late" d="${d}"/>`;
}

function underwayPart({ underway, typicalMs }: JobLane, axis: Axis, { links }: Detail): Printable {
  return underway.slice(0, Math.min(links, UNDERWAY_SHOWN)).map((one) => {
    return html`<a class="live" href="${runUrl(one.id)}" tabindex="-1"><title>${underwayWords(
      one,
    )}</title>${underwayShape(one, axis, typicalMs)}</a>`;
  });
}

/** More at once than anybody can tell apart in one lane. */
const UNDERWAY_SHOWN = 10;

function underwayWords({ state, from, until, lateMs }: Underway): string {
  const late = lateMs > 0 ? `, started ${duration(lateMs)} late` : '';
  if (state === 'running') return `running since ${dayTime(from)}${late}`;
  if (state === 'queued') return `queued since ${dayTime(from)}`;
  return `tries again at ${dayTime(until ?? from)}`;
}

function underwayShape({ state, from, until, lateMs }: Underway, axis: Axis, ms: number | null) {
  const x = Math.min(HALF, xOf(axis, from));
  const end = until === null ? HALF : xOf(axis, until);
  if (state !== 'running') {
    const next = state === 'retry_wait' ? box(end, 9, lengthOf(ms, axis), 12) : '';
    return html`<path class="waits" d="M${x} 15H${Math.max(end, x)}"/>${
      next !== '' && html`<path class="coming" d="${next}"/>`
    }`;
  }
  const wanted = xOf(axis, from - lateMs);
  return html`${wanted < x && html`<path class="late" d="M${wanted} 11v8M${wanted} 15H${x}"/>`}<path
    class="at-work" d="${box(x, 8, HALF - x, 14)}"/>${
      end > HALF && html`<path class="coming" d="${box(HALF, 9, end - HALF, 12)}"/>`
    }`;
}

const lengthOf = (ms: number | null, { unitMs }: Axis): number => Math.round((ms ?? 0) / unitMs);

/** What is due, what is to come, and where it will be too much at once. */
function comingPart(lane: JobLane, axis: Axis, { single }: Detail): Printable {
  const due = singly(lane.due, single);
  const coming = singly(lane.coming, single);
  return html`${due.at.length > 0 && dueTicks(due.at, axis)}${due.bands.map((band) =>
    bandBox(band, 'due', `due since ${dayTime(band.from)}`, axis),
  )}${coming.bands.map((band) =>
    bandBox(band, 'coming', bandWords(lane, band.from, band.to), axis),
  )}${comingBoxes(lane, coming.at, axis)}${coming.at.length > 0 && overlapMarks(lane, axis)}`;
}

/** So many are told as one band, where they would take too much room one by one. */
function singly({ at, bands }: Occurrences, most: number): Occurrences {
  const [from, to] = [at[0], at.at(-1)];
  if (at.length > most && from !== undefined && to !== undefined) {
    return { at: [], bands: [{ from, to }] };
  }
  return { at, bands: bands.slice(0, most) };
}

const dueTicks = (at: readonly Instant[], axis: Axis): Html =>
  html`<path class="due" d="${at.map((one) => box(xOf(axis, one), 9, 0, 12))}"><title>${
    at.length === 1 ? '' : `${at.length} `
  }due since ${dayTime(at[0] ?? 0)}</title></path>`;

function bandBox(
  { from, to }: { readonly from: Instant; readonly to: Instant },
  kind: 'due' | 'coming',
  words: string,
  axis: Axis,
): Html {
  const x = xOf(axis, from);
  const d = box(x, 9, xOf(axis, to) - x, 12);
  return html`<path class="${kind}" fill="url(#tl-dense)" d="${d}"><title>${words}</title></path>`;
}

function bandWords({ job, typicalMs }: JobLane, from: Instant, to: Instant): string {
  const words = scheduleWords(job.schedule, job.timeZone, job.name);
  return `${words}, ${dayTime(from)} to ${dayTime(to)}${about(typicalMs)}`;
}

const about = (ms: number | null): string => (ms === null ? '' : `, about ${duration(ms)}`);

/** Few are told one by one. */
const TOLD_SINGLY = 12;

function comingBoxes(lane: JobLane, at: readonly Instant[], axis: Axis): Printable {
  const { typicalMs, overlap } = lane;
  const length = lengthOf(typicalMs, axis);
  // What will be skipped takes no time.
  const skipped = new Set(overlap === 'queue' || overlap === 'replace' ? [] : lane.overlapping);
  const boxes = at.map((one) => {
    const x = xOf(axis, one);
    return box(x, 9, skipped.has(one) ? 0 : Math.min(length, WIDTH - x), 12);
  });
  if (at.length > TOLD_SINGLY) {
    const words = `${at.length} to come, ${dayTime(at[0] ?? 0)} to ${dayTime(at.at(-1) ?? 0)}`;
    return html`<path class="coming" d="${boxes}"><title>${words}${about(
      typicalMs,
    )}</title></path>`;
  }
  return at.map(
    (one, i) =>
      html`<path class="coming" d="${boxes[i]}"><title>${dayTime(one)}${about(
        typicalMs,
      )}</title></path>`,
  );
}

function overlapMarks(lane: JobLane, axis: Axis): Printable {
  if (lane.overlapping.length === 0) return null;
  const d = lane.overlapping.map((at) => `M${xOf(axis, at) - 11} 1h22l-11 7z`);
  return html`<path class="overlap" d="${d}"><title>${overlapWords(
    lane,
  )}: due while an earlier run is still at work</title></path>`;
}

/** `3 will overlap and be skipped`. */
export function overlapWords({ overlapping, overlap, coming }: JobLane): string {
  const fate = overlap === 'queue' ? 'wait' : overlap === 'replace' ? 'replace' : 'be skipped';
  const { length } = overlapping;
  const many = coming.bands.length > 0 ? 'many' : number(length);
  return `${many} will overlap and ${fate}`;
}

function pausedPart({ paused, job }: JobLane, axis: Axis): Printable {
  if (paused === null) return null;
  const x = xOf(axis, paused.from);
  const by = job.paused?.by ?? '';
  const note = job.paused?.note ?? '';
  const whose = by === '' ? '' : ` by ${shortened(by)}`;
  const why = note === '' ? '' : `: ${shortened(note)}`;
  const d = box(x, 0, xOf(axis, paused.to) - x, HEIGHT);
  return html`<path class="pause" fill="url(#tl-paused)" d="${d}"><title>paused${whose}${
    why
  }</title></path>`;
}

/** Where the record's memory ends; problems from before are shown where history was asked. */
function unknownPart({ knownFrom }: JobLane, axis: Axis): Printable {
  if (knownFrom === null) return null;
  return html`<path class="unknown" d="M0 22H${xOf(axis, knownFrom)}"><title>Before ${dayTime(
    knownFrom,
  )} only problems are shown: of a job its 60 last outcomes are at hand</title></path>`;
}
