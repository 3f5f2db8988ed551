import type {
  Attempt,
  AttemptOutcome,
  Lease,
  Retry,
  Run,
  RunError,
} from '../server/core/records.ts';
import type { RunState } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { fitted } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { isLive, mark, stateWord, toneOf, type Tone } from './state.ts';
import { count, duration, exactTime, since, time, times } from './time.ts';

/** A run's attempts on one time axis: how long each waited, how long it held its lease. */

export interface Attempts {
  readonly run: Run;
  readonly now: Instant;
  /** Of the attempt that is at work; null where none is, or where it is not known. */
  readonly lease: Lease | null;
  /** When it is tried again; null where it is not. */
  readonly retry: Retry | null;
}

/** A page has room for so many; of more the first ones and the last ones are shown. */
const ROWS = 16;
const FIRST_ROWS = 3;

/** The table of attempts; nothing for what was never to start. */
export function attemptsTable(of: Attempts): Printable {
  const rows = rowsOf(of);
  if (rows.length === 0) return null;
  const axis = axisOf(rows, of);
  const left = rows.length - ROWS;
  const shown = left <= 0 ? [rows] : [rows.slice(0, FIRST_ROWS), rows.slice(FIRST_ROWS + left)];
  return html`<section id="attempts">
    <h2>Attempts</h2>
    <table class="waterfall">
      <thead><tr><th scope="col">No.</th><th scope="col">Outcome</th>
        <th scope="col" class="course"><span class="unseen">Time line</span>${ticks(axis)}</th>
        <th scope="col">Waited</th><th scope="col">Took</th></tr></thead>
      <tbody>${shown[0]?.map((row) => rowOf(row, axis, of))}${
        shown[1] &&
        html`<tr><td></td><td colspan="4" class="none">${count(left, 'attempt')} between
          these</td></tr>`
      }${shown[1]?.map((row) => rowOf(row, axis, of))}</tbody>
    </table>
  </section>`;
}

/** One attempt, or the wait for one. */
interface Row {
  readonly n: number;
  readonly attempt: Attempt | null;
  /** When it began to wait, and what for; null where it started at once. */
  readonly waitedFrom: Instant | null;
  /** Null while it has not started. */
  readonly startedAt: Instant | null;
  /** Null while it goes on. */
  readonly endedAt: Instant | null;
}

/** A start within a second of its time did not wait: a wake-up takes as long. */
const AT_ONCE_MS = 1000;

function rowsOf({ run, retry }: Attempts): readonly Row[] {
  if (run.range !== null) return [];
  const over = run.endedAt;
  let before: Instant | null = waitsFrom(run);
  const rows: Row[] = run.attempts.map((attempt) => {
    const { n, startedAt } = attempt;
    const waited = before !== null && startedAt - before >= (n === 1 ? AT_ONCE_MS : 1);
    const row = { n, attempt, waitedFrom: waited ? before : null, startedAt };
    const endedAt = attempt.endedAt ?? over;
    before = endedAt;
    return { ...row, endedAt };
  });
  if (run.state !== 'queued' && run.state !== 'retry_wait') return rows;
  const n = retry?.attempt ?? (run.attempts.at(-1)?.n ?? 0) + 1;
  return [...rows, { n, attempt: null, waitedFrom: before, startedAt: null, endedAt: null }];
}

/** Since when it could have started: its occurrence, or when somebody asked for it. */
const waitsFrom = ({ trigger, scheduledAt, createdAt }: Run): Instant =>
  trigger === 'schedule' && scheduledAt !== null ? scheduledAt : createdAt;

/** Times as shares of the lane's width, from its left end to its right one. */
interface Axis {
  readonly from: Instant;
  readonly to: Instant;
  /** What the ticks count from. */
  readonly zero: Instant;
  /** Where a long wait before the first start is cut short, so that the rest can be seen. */
  readonly cut: boolean;
}

/** A first wait longer than so many times the rest is not drawn to scale. */
const CUT_FROM = 3;
const CUT_SHARE = 0.2;

function axisOf(rows: readonly Row[], { now, retry }: Attempts): Axis {
  const [first] = rows;
  const zero = first?.startedAt ?? first?.waitedFrom ?? now;
  const ends = rows.map(({ endedAt, startedAt }) => endedAt ?? startedAt ?? zero);
  // When a retry starts is known; what is at work, or waits for a slot, goes on beyond now.
  const goesOn = rows.at(-1)?.endedAt === null && !(retry !== null && retry.notBefore > now);
  const open = goesOn ? zero + roundedUp(now - zero) : zero;
  const to = Math.max(zero + 1, ...ends, open, retry?.notBefore ?? zero);
  const wait = zero - (first?.waitedFrom ?? zero);
  const cut = wait > CUT_FROM * (to - zero);
  return { from: zero - (cut ? (to - zero) * CUT_SHARE : wait), to, zero, cut };
}

/**
 * An axis of what goes on ends a little after now, at one of the few places that it has: a page
 * that is asked for again is mostly the same.
 */
export function roundedUp(ms: number): number {
  const step = 2 ** Math.floor(Math.log2(Math.max(1000, ms))) / 8;
  return Math.ceil(Math.max(1, ms) / step) * step;
}

const shareOf = ({ from, to }: Axis, at: Instant): number =>
  Math.round(Math.max(0, Math.min(1, (at - from) / (to - from))) * 10_000) / 100;

/** What is shorter could not be seen. In hundredths of the width. */
const LEAST = 0.6;

const TICK_STEPS_S = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000,
];
const TICKS = 5;

function tickTimes({ from, to, zero }: Axis): readonly Instant[] {
  const span = (to - from) / 1000;
  const step = 1000 * (TICK_STEPS_S.find((s) => span / s <= TICKS) ?? span / TICKS);
  const first = Math.ceil((from - zero) / step);
  const last = Math.floor((to - zero) / step);
  return Array.from({ length: last - first + 1 }, (_, i) => zero + (first + i) * step);
}

/** How far from the first start each line of the lanes lies. */
const ticks = (axis: Axis): Html => html`<svg class="wf-ticks" width="100%" height="16"
          aria-hidden="true">${tickTimes(axis).map((at) => {
            const x = shareOf(axis, at);
            const side = x > 88 ? 'wf-end' : x < 4 ? 'wf-start' : 'wf-middle';
            const words = at === axis.zero ? '0' : duration(at - axis.zero);
            return html`<text x="${x}%" y="12" class="${side}">${words}</text>`;
          })}</svg>`;

function rowOf(row: Row, axis: Axis, of: Attempts): Html {
  const { attempt, waitedFrom, startedAt, endedAt } = row;
  const { run, now } = of;
  const state = stateOf(row, run);
  return html`
      <tr>
        <td>${row.n}</td>
        <td><span class="badge ${toneIn(row, run)}">${mark(state)}${wordOf(row, state)}</span></td>
        <td class="course">${lane(row, axis, of)}
          ${attempt !== null && details(attempt, of)}</td>
        <td data-label="Waited">${
          waitedFrom === null
            ? html`<span class="none">–</span>`
            : startedAt === null
              ? since(waitedFrom, now)
              : duration(startedAt - waitedFrom)
        }</td>
        <td data-label="Took">${
          startedAt === null
            ? html`<span class="none">–</span>`
            : endedAt === null
              ? since(startedAt, now)
              : duration(Math.max(0, endedAt - startedAt))
        }</td>
      </tr>`;
}

/** The state that an attempt's outcome looks like. An interrupted one goes on with the next. */
function stateOf({ attempt }: Row, run: Run): RunState {
  if (attempt === null) return run.state;
  if (attempt.outcome === 'interrupted') return 'retry_wait';
  return attempt.outcome ?? (isLive(run.state) ? 'running' : run.state);
}

const toneIn = (row: Row, run: Run): Tone =>
  row.attempt?.outcome === 'interrupted' ? 'quiet' : toneOf(stateOf(row, run));

const wordOf = ({ attempt }: Row, state: RunState): string =>
  attempt?.outcome === 'interrupted'
    ? 'interrupted'
    : attempt === null && state === 'retry_wait'
      ? 'to come'
      : stateWord(state);

const OPEN_END: readonly (AttemptOutcome | null)[] = ['lost', 'interrupted', null];

/** A thin line for the wait, a bar for the lease; one without an end of its own is left open. */
function lane(row: Row, axis: Axis, of: Attempts): Html {
  const { attempt, waitedFrom, startedAt, endedAt } = row;
  const tone = toneIn(row, of.run);
  const waitEnd = startedAt ?? of.retry?.notBefore ?? axis.to;
  const open = attempt !== null && OPEN_END.includes(attempt.outcome) ? ' wf-open' : '';
  return html`<svg class="wf-bars" width="100%" height="18" role="img"
            aria-label="${heard(row, of)}">
            ${tickTimes(axis).map((at) => gridLine(shareOf(axis, at)))}
            ${waitedFrom !== null && waitLine(axis, waitedFrom, waitEnd)}
            ${startedAt !== null && bar(axis, [startedAt, endedAt ?? axis.to], `wf-${tone}${open}`)}
            ${of.lease !== null && attempt?.endedAt === null && beat(axis, of.lease)}
          </svg>`;
}

const gridLine = (x: number): Html =>
  html`<line class="wf-grid" x1="${x}%" x2="${x}%" y1="0" y2="18"/>`;

function waitLine(axis: Axis, from: Instant, to: Instant): Html {
  const [x1, x2] = [shareOf(axis, from), shareOf(axis, to)];
  const line = html`<line class="wf-wait" x1="${x1}%" x2="${x2}%" y1="9" y2="9"/>`;
  if (!axis.cut || from >= axis.from) return line;
  const at = shareOf(axis, (axis.from + axis.zero) / 2);
  return html`${line}<line class="wf-cut" x1="${at}%" x2="${at}%" y1="3" y2="15"/>`;
}

function bar(axis: Axis, [from, to]: readonly [Instant, Instant], kind: string): Html {
  const width = Math.max(LEAST, shareOf(axis, to) - shareOf(axis, from));
  const x = Math.min(shareOf(axis, from), 100 - width);
  const shown = (n: number): number => Math.round(n * 100) / 100;
  return html`<rect class="${kind}" x="${shown(x)}%" width="${shown(width)}%" y="3" height="12"/>`;
}

/** The last beat that is known: the lease is good for its length from there. */
function beat(axis: Axis, { renewedAt, startedAt }: Lease): Html | null {
  if (renewedAt <= startedAt) return null;
  const x = shareOf(axis, renewedAt);
  return html`<line class="wf-beat" x1="${x}%" x2="${x}%" y1="3" y2="15"/>`;
}

/** What the lane shows, for those who hear it. */
function heard({ n, attempt, waitedFrom, startedAt, endedAt }: Row, { run }: Attempts): string {
  const waited =
    waitedFrom === null || startedAt === null
      ? ''
      : `waited ${duration(startedAt - waitedFrom)}, then `;
  if (startedAt === null) return `attempt ${n} waits to start`;
  const outcome = attempt?.outcome?.replaceAll('_', ' ') ?? stateWord(run.state);
  const took = endedAt === null ? 'goes on' : `took ${duration(Math.max(0, endedAt - startedAt))}`;
  return `attempt ${n} ${waited}${took}: ${outcome}`;
}

const ERROR_SHOWN = 300;
const OWNER_SHOWN = 120;

function details(attempt: Attempt, { run, lease, now }: Attempts): Html {
  const { error, startedAt, owner, fence, renewals } = attempt;
  // That of the last attempt stands on top of the page.
  const told = attempt === run.attempts.at(-1) && run.error !== null;
  const beats = renewals !== undefined && renewals > 0 && `, lease renewed ${times(renewals)}`;
  const held =
    lease !== null &&
    attempt.endedAt === null &&
    html`, lease renewed ${time(lease.renewedAt, now)}, good for ${duration(lease.leaseMs)}`;
  return html`${error !== null && !told && errorLine(error)}
          <p class="none">${exactTime(startedAt)} on <code>${fitted(owner, OWNER_SHOWN)}</code>,
            fencing token ${fence}${beats}${held}</p>`;
}

const errorLine = ({ name, message }: RunError): Html => html`<p class="why">
            <b>${fitted(name, OWNER_SHOWN)}</b>: ${fitted(message, ERROR_SHOWN)}</p>`;
