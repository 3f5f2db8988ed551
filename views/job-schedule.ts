import type { ClockChange } from '../server/core/explain.ts';
import type { Pause } from '../server/core/records.ts';
import { shownAt, type Schedule } from '../server/core/schedule.ts';
import type { Instant } from '../server/core/time.ts';
import { changeList } from './clock-changes.ts';
import { html, type Html } from './html.ts';
import { describe } from './schedule-words.ts';
import { scheduleUrl } from './schedule.ts';
import { time, timeAs, utc, viewersTime, wallDayTime } from './time.ts';

/** A job's schedule as it is in force, and what it comes to. */
export interface JobSchedule {
  /** Null for a job that runs only by hand. */
  readonly text: string | null;
  readonly timeZone: string;
  /** Undefined where this build can't read the text. */
  readonly schedule: Schedule | undefined;
  readonly next: readonly Instant[];
  readonly clockChanges: readonly ClockChange[];
  readonly paused: Pause | null;
}

/** The schedule in words, its next occurrences in three zones, and what clock changes do to it. */
export function scheduleSection(name: string, all: JobSchedule, now: Instant): Html {
  return html`<section id="schedule" class="schedule">
    <h2>Schedule</h2>
    ${scheduleBody(name, all, now)}
  </section>`;
}

function scheduleBody(name: string, all: JobSchedule, now: Instant): Html {
  const { text, timeZone, schedule } = all;
  if (text === null) {
    return html`<p class="words">Only by hand</p>
      <p class="none">It has no schedule: it runs when somebody presses <b>Run now</b>, or asks for
        it with the API.</p>`;
  }
  if (schedule === undefined) {
    return html`<p class="words"><code>${text}</code></p>
      <p class="none">In ${timeZone}. This build can’t read it; a newer one has defined it.</p>`;
  }
  return html`<p class="words">${describe(schedule)}</p>
    <p class="none"><a href="${scheduleUrl({ schedule: text, timeZone, name })}"
      title="Try a change of it"><code>${text}</code></a>${
        schedule.text !== text && html`, here <code>${schedule.text}</code>`
      } in ${timeZone}</p>
    <div class="when">${occurrences(schedule, all, now)}${
      all.clockChanges.length > 0 && changeList(all.clockChanges)
    }</div>`;
}

function occurrences(schedule: Schedule, { next, paused }: JobSchedule, now: Instant): Html {
  if (next.length === 0) return html`<p class="none">It never comes again.</p>`;
  const { timeZone } = schedule;
  const inUtc = timeZone === 'UTC';
  return html`<div class="scroll plain" tabindex="0" role="group" aria-label="Next occurrences">
    <table class="occurrences">
    <thead><tr><th scope="col">Next</th><th scope="col">${timeZone}</th>
      ${!inUtc && html`<th scope="col">UTC</th>`}
      <th scope="col" class="here"><span data-here-zone></span></th></tr></thead>
    <tbody>${next.map(
      (at) => html`<tr class="${isPaused(paused, at) && 'paused'}">
      <td>${time(at, now)}${isPaused(paused, at) && html` <small>paused</small>`}</td>
      <td>${timeAs(at, wallDayTime(shownAt(timeZone, at)))}</td>
      ${!inUtc && html`<td>${timeAs(at, utc(at).replace(' UTC', ''))}</td>`}
      <td class="here">${viewersTime(at)}</td></tr>`,
    )}</tbody>
  </table></div>`;
}

const isPaused = (paused: Pause | null, at: Instant): boolean =>
  paused !== null && (paused.until === null || at <= paused.until);
