import type { Range, Run } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { byDay } from './days.ts';
import { html, type Html, type Printable } from './html.ts';
import { isLive, runBadge, toneOf } from './state.ts';
import { clockTime, count, duration, lateness, since, time, timeAs, utc } from './time.ts';
import { jobUrl } from './urls.ts';
import { firstLine, runLink, why } from './why.ts';

export { runLink };

/** How a list of runs is shown: a page of one job needs no column for it. */
export interface RunsShown {
  readonly job: 'shown' | 'hidden';
}

/** Runs, newest first, under the days of their occurrences. */
export function runsTable(runs: readonly Run[], now: Instant, shown: RunsShown): Html {
  if (runs.length === 0) return noRuns;
  const columns = COLUMNS.filter(([name]) => name !== 'job' || shown.job === 'shown');
  return html`<table class="run-list">
    <thead><tr>${columns.map(
      ([name, words]) => html`<th scope="col" class="${name}">${words}</th>`,
    )}</tr></thead>
    ${byDay(runs, {
      list: 'runs',
      now,
      columns: columns.length,
      row: (run) => runRow(run, now, shown),
    })}
  </table>`;
}

const COLUMNS = [
  ['outcome', 'Outcome'],
  ['job', 'Job'],
  ['time', 'Time'],
  ['trigger', 'Trigger'],
  ['start', 'Start'],
  ['duration', 'Duration'],
  ['reason', 'Why'],
] as const;

export const noRuns = html`<div class="empty">
  <p>No runs yet. The first one shows here when a schedule comes due, or when you press
    <b>Run now</b> on a job.</p>
</div>`;

/**
 * A run's time is that of its occurrence, or when it was asked for. What stands here for several
 * occurrences that did not run has their span in the place of its start.
 */
export const runRow = (run: Run, now: Instant, shown: RunsShown): Html => html`
  <tr id="run-${run.id}" data-row tabindex="-1">
    <td class="outcome">${runLink(run.id, runBadge(run.state))}</td>
    ${shown.job === 'shown' && html`<td class="job">${jobLink(run.job)}</td>`}
    <td class="time">${clockTime(run.at)} <small>${time(run.at, now)}</small></td>
    ${
      run.range !== null && run.range.count > 1
        ? html`<td class="span" colspan="3">${spanWords(run.range)}</td>`
        : startedCells(run, now)
    }
    <td class="reason ${toneOf(run.state)}">${whyLines(run)}</td>
  </tr>`;

/** In one piece, so that it can be cut short after some lines. */
function whyLines(run: Run): Html | null {
  const words = why(run);
  return words && html`<span>${words}</span>`;
}

export const jobLink = (name: string): Html => html`<a href="${jobUrl(name)}">${name}</a>`;

const startedCells = (run: Run, now: Instant): Html => html`
    <td class="trigger${run.trigger === 'schedule' && ' usual'}">${triggerWords(run)}</td>
    <td class="start${isPrompt(run) && ' usual'}">${start(run)}</td>
    <td class="duration">${runDuration(run, now)}</td>`;

const NAME_SHOWN = 60;

const triggerWords = ({ trigger, requestedBy }: Run): Html =>
  requestedBy === null
    ? html`${trigger}`
    : html`${trigger} <small title="${firstLine(requestedBy, NAME_SHOWN)}">by
        ${firstLine(requestedBy, NAME_SHOWN)}</small>`;

/** How late it started; of a run by hand, how long it had to wait. */
function start(run: Run): Printable {
  const { state, startedAt } = run;
  if (startedAt === null) return isLive(state) ? html`<span class="none">not yet</span>` : null;
  const words = latenessOf(run) ?? (isPrompt(run) ? 'at once' : `waited ${duration(waitOf(run))}`);
  return timeAs(startedAt, words);
}

const waitOf = ({ startedAt, at }: Run): number => (startedAt === null ? 0 : startedAt - at);

/** Nothing to speak of lay between what it is for and its start. */
const isPrompt = (run: Run): boolean => run.startedAt !== null && Math.abs(waitOf(run)) < 1000;

/** `12 occurrences since 10:20:00`, up to the time beside it; with the date where that differs. */
function spanWords({ from, to, count: many, atLeast }: Range): Html {
  const [first, last] = [utc(from), utc(to)];
  const sameDay = first.slice(0, 10) === last.slice(0, 10);
  const words = sameDay ? clockTime(from) : timeAs(from, first.slice(0, 16));
  return html`${atLeast && 'at least '}${count(many, 'occurrence')} since ${words}`;
}

/**
 * How late a scheduled run started; nothing for other triggers, which have nothing to be late to.
 */
export function latenessOf({ trigger, startedAt, scheduledAt }: Run): string | null {
  if (trigger !== 'schedule' || startedAt === null || scheduledAt === null) return null;
  return lateness(startedAt - scheduledAt);
}

/** From the first start to the end; of an unfinished run the time since, which goes on. */
export function runDuration({ state, startedAt, endedAt }: Run, now: Instant): Html | null {
  if (startedAt === null) return null;
  if (endedAt !== null) return html`${duration(endedAt - startedAt)}`;
  return isLive(state) ? html`${since(startedAt, now)} so far` : null;
}
