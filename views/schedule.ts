import type { ClockChange, Explained } from '../server/core/explain.ts';
import { shownAt, type Schedule, type ScheduleProblem } from '../server/core/schedule.ts';
import type { Instant } from '../server/core/time.ts';
import { changeList } from './clock-changes.ts';
import { html, type Html, type Printable } from './html.ts';
import { describe } from './schedule-words.ts';
import { relative, utc, wallDateTime } from './time.ts';

/** A schedule as somebody is typing it. */
export interface ScheduleAsked {
  readonly schedule: string;
  readonly timeZone: string;
  /** The job's name, which H is drawn from. */
  readonly name: string;
}

/** What it comes to; null while nothing is typed. */
export interface SchedulePreview {
  readonly asked: ScheduleAsked;
  readonly now: Instant;
  readonly result:
    | { readonly problems: readonly ScheduleProblem[] }
    | { readonly schedule: Schedule; readonly explained: Explained }
    | null;
}

/** A form and, under it, what the schedule in it means, anew at each key. */
export const scheduleBody = (preview: SchedulePreview, timeZones: readonly string[]): Html =>
  html`<section class="schedule">
    <h1>Try a schedule</h1>
    ${form(preview.asked, timeZones)}
    <div id="preview" aria-live="polite">${scheduleFragment(preview)}</div>
  </section>`;

const form = ({ schedule, timeZone, name }: ScheduleAsked, timeZones: readonly string[]): Html =>
  html`<form class="try" method="get" action="/schedule" hx-get="/fragments/schedule"
    hx-trigger="input delay:200ms, submit" hx-include="this" hx-target="#preview"
    hx-swap="innerMorph" hx-sync="this:replace">
    <label class="wide">Schedule
      <input name="schedule" value="${schedule}" placeholder="30 2 * * *" maxlength="2000"
        autocomplete="off" autocapitalize="off" spellcheck="false" autofocus></label>
    <label>Time zone
      <input name="timeZone" value="${timeZone}" list="time-zones" maxlength="64"
        autocomplete="off" autocapitalize="off" spellcheck="false"></label>
    <label>Job’s name, for H
      <input name="name" value="${name}" maxlength="63"
        autocomplete="off" autocapitalize="off" spellcheck="false"></label>
    <datalist id="time-zones">${timeZones.map((zone) => html`<option value="${zone}">`)}</datalist>
    <button class="unseen">Show</button>
  </form>`;

/** What stands under the form. */
export function scheduleFragment({ asked, now, result }: SchedulePreview): Html {
  if (result === null) return examples(asked.timeZone);
  if ('problems' in result) return problemList(result.problems);
  const { schedule, explained } = result;
  const { clockChanges, occurrences } = explained;
  return html`
    <p class="words">${describe(schedule)}</p>
    <p class="none"><code>${schedule.text}</code> in ${schedule.timeZone}</p>
    ${changes(clockChanges)}
    <h2>${occurrences.length === 0 ? 'It never comes again' : 'Next occurrences'}</h2>
    ${occurrences.length > 0 && table(schedule, occurrences, now)}`;
}

const changes = (all: readonly ClockChange[]): Printable =>
  all.length > 0 &&
  html`<h2>When clocks are changed</h2>
    ${changeList(all)}`;

const table = (
  { timeZone }: Schedule,
  occurrences: readonly Instant[],
  now: Instant,
): Html => html`<table class="cards occurrences">
  <thead><tr><th>${timeZone}</th>${timeZone !== 'UTC' && html`<th>UTC</th>`}
    <th><span class="unseen">From now</span></th></tr></thead>
  <tbody>${occurrences.map(
    (at) => html`<tr>
      <td data-label="There">${wallDateTime(shownAt(timeZone, at))}</td>
      ${timeZone !== 'UTC' && html`<td data-label="UTC">${utc(at)}</td>`}
      <td data-label="From now">${relative(at, now)}</td>
    </tr>`,
  )}</tbody>
</table>`;

const problemList = (problems: readonly ScheduleProblem[]): Html =>
  html`<ul class="changes">${problems.map(
    ({ message }) => html`<li class="refused">${message}</li>`,
  )}</ul>`;

const EXAMPLES = [
  ['30 2 * * *', 'every night at half past two'],
  ['0 9 * * 1-5', 'on working days at nine'],
  ['*/15 8-17 * * *', 'every quarter of an hour by day'],
  ['0 0 L * *', 'on the last day of each month'],
  ['0 12 * * 1#2', 'on each second Monday at noon'],
  ['H 3 * * *', 'some minute after three, the same for one job for ever'],
  ['0 9 * * 1-5; 0 12 * * 6', 'two in one'],
  ['every 90m', 'a period, counted from 1970 in UTC'],
  ['at 2027-03-01T18:00', 'once'],
] as const;

const examples = (timeZone: string): Html => html`<table class="cards examples">
  <tbody>${EXAMPLES.map(
    ([text, words]) => html`<tr>
      <td data-label="Such as"><a href="${scheduleUrl({ schedule: text, timeZone, name: '' })}">
        <code>${text}</code></a></td>
      <td data-label="Means">${words}</td>
    </tr>`,
  )}</tbody>
</table>`;

/** The page for one schedule. */
export function scheduleUrl({ schedule, timeZone, name }: ScheduleAsked): string {
  const query = new URLSearchParams({ schedule, timeZone, ...(name !== '' && { name }) });
  return `/schedule?${query.toString()}`;
}
