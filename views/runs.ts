import type { Range, Run } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { isLive, runBadge } from './state.ts';
import { count, duration, exactTime, lateness, time } from './time.ts';

/** Runs, newest first, as they are given. */
export function runsTable(runs: readonly Run[], now: Instant): Html {
  if (runs.length === 0) return noRuns;
  return html`<table class="cards runs">
    <thead>
      <tr><th>Run</th><th>Job</th><th>Trigger</th><th>Scheduled</th><th>Started</th>
        <th>Duration</th></tr>
    </thead>
    <tbody>${runs.map((run) => runRow(run, now))}</tbody>
  </table>`;
}

export const noRuns = html`<div class="empty">
  <p>No runs yet. The first one shows here when a schedule comes due, or when you press
    <b>Run now</b> on a job.</p>
</div>`;

export const runRow = (run: Run, now: Instant): Html => html`
  <tr id="run-${run.id}">
    <td data-label="Run">${runLink(run.id, runBadge(run.state))}
      ${run.reason !== null && html`<small>${run.reason}</small>`}</td>
    <td class="name" data-label="Job">${run.job}</td>
    <td data-label="Trigger">${run.trigger}</td>
    ${run.range === null ? startedCells(run, now) : rangeCell(run.range, run)}
  </tr>`;

const startedCells = (run: Run, now: Instant): Html => html`
    <td data-label="Scheduled">${run.scheduledAt === null ? none : time(run.scheduledAt, now)}</td>
    <td data-label="Started">${started(run, now)}</td>
    <td data-label="Duration">${runDuration(run, now) ?? none}</td>`;

const none = html`<span class="none">–</span>`;

const rangeCell = (range: Range, run: Run): Html =>
  html`<td colspan="3" data-label="Scheduled"><span>${rangeWords(range, run)}</span></td>`;

/** `12 occurrences, from … to …: missed, outage`. */
export function rangeWords(range: Range, { state, reason }: Run): Html {
  const number = `${range.atLeast ? 'at least ' : ''}${count(range.count, 'occurrence')}`;
  const verdict = reason === null ? state : `${state}, ${reason}`;
  return range.from === range.to
    ? html`${number}, at ${exactTime(range.from)}: ${verdict}`
    : html`${number}, from ${exactTime(range.from)} to ${exactTime(range.to)}: ${verdict}`;
}

function started(run: Run, now: Instant): Printable {
  if (run.startedAt === null) return html`<span class="none">not yet</span>`;
  return html`${time(run.startedAt, now)} <small>${latenessOf(run)}</small>`;
}

/**
 * How late a scheduled run started; nothing for other triggers, which have nothing to be late to.
 */
export function latenessOf({ trigger, startedAt, scheduledAt }: Run): string | null {
  if (trigger !== 'schedule' || startedAt === null || scheduledAt === null) return null;
  return lateness(startedAt - scheduledAt);
}

/** From the first start to the end, or up to now. */
export function runDuration({ state, startedAt, endedAt }: Run, now: Instant): string | null {
  if (startedAt === null) return null;
  if (endedAt !== null) return duration(endedAt - startedAt);
  return isLive(state) ? `${duration(Math.max(0, now - startedAt))} so far` : null;
}

export const runLink = (id: string, text: Printable): Html =>
  html`<a href="/runs/${pathPart(id)}">${text}</a>`;
