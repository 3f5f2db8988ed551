import type { JobSummary } from '../server/core/summary.ts';
import type { Instant } from '../server/core/time.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { action } from './layout.ts';
import { runLink } from './runs.ts';
import { scheduleUrl } from './schedule.ts';
import { scheduleWords } from './schedule-words.ts';
import { jobBadge, runBadge, toneOf } from './state.ts';
import { strip } from './strip.ts';
import { count, time } from './time.ts';

/** More rows than this are no overview, and every poll sends them all. */
const JOBS_SHOWN = 300;

/** All jobs, those with problems first. */
export function jobsTable(jobs: readonly JobSummary[], now: Instant): Html {
  if (jobs.length === 0) return noJobs;
  const shown = problemsFirst(jobs).slice(0, JOBS_SHOWN);
  const left = jobs.length - shown.length;
  return html`<table class="cards jobs">
    <thead>
      <tr><th>Job</th><th>Schedule</th><th>State</th><th>Last run</th><th>Next run</th>
        <th>Recent</th><th><span class="unseen">Actions</span></th></tr>
    </thead>
    <tbody>${shown.map((job) => jobRow(job, now))}</tbody>
  </table>
  ${left > 0 && html`<p class="none">${count(left, 'more job')} not shown here.</p>`}`;
}

const noJobs = html`<div class="empty">
  <h2>No jobs yet</h2>
  <p>Describe one with <code>defineJob</code> in a file of its own under <code>jobs/</code>, list it
    in <code>jobs/index.ts</code>, and start the service again. It appears here by itself.</p>
</div>`;

export const jobRow = (job: JobSummary, now: Instant): Html => html`
  <tr id="job-${job.name}" class="${isProblem(job) && 'problem'}">
    <td class="name" data-label="Job"><strong>${job.name}</strong>
      ${job.description !== '' && html`<small>${job.description}</small>`}</td>
    <td data-label="Schedule">${schedule(job)}</td>
    <td data-label="State">${stateNow(job)}${whyState(job, now)}</td>
    <td data-label="Last run">${lastRun(job, now)}</td>
    <td data-label="Next run">${nextRun(job, now)}</td>
    <td data-label="Recent">${strip(job.recent)}</td>
    <td class="act">${canRun(job) && runNowButton(job.name)}</td>
  </tr>`;

/** Broken jobs, then failing ones, then the rest by name; retired ones last. */
export function problemsFirst(jobs: readonly JobSummary[]): JobSummary[] {
  return jobs.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function rank(job: JobSummary): number {
  if (job.state === 'broken') return 0;
  if (job.state === 'retired') return 3;
  return isProblem(job) ? 1 : 2;
}

const isProblem = ({ state, streak }: JobSummary): boolean =>
  state === 'broken' || (state !== 'retired' && streak < 0);

const canRun = ({ known, state }: JobSummary): boolean =>
  known && state !== 'retired' && state !== 'broken';

function schedule({ schedule: text, timeZone, name }: JobSummary): Html {
  const words = scheduleWords(text, timeZone, name);
  if (text === null) return html`<span class="none">${words}</span>`;
  const url = scheduleUrl({ schedule: text, timeZone, name });
  return html`<a class="plain" href="${url}" title="${text} (${timeZone})">${words}</a>
    <small>${timeZone}</small>`;
}

function stateNow({ state, unfinished: [first] }: JobSummary): Html {
  return first === undefined ? jobBadge(state) : runLink(first, jobBadge(state));
}

function whyState(job: JobSummary, now: Instant): Printable {
  const { paused, problem } = job;
  if (problem !== null) return html`<small class="bad">${problem}</small>`;
  if (paused === null) return !job.known && html`<small>not in this build’s code</small>`;
  return html`<small>${paused.by !== null && `by ${paused.by} `}${
    paused.until === null ? 'until resumed' : html`until ${time(paused.until, now)}`
  }${paused.note !== null && `: ${paused.note}`}</small>`;
}

function lastRun({ last, streak }: JobSummary, now: Instant): Html {
  if (last === null) return html`<span class="none">none yet</span>`;
  const again = streak < -1 && toneOf(last.state) === 'bad' && `, ${-streak} times in a row`;
  return html`${runLink(last.runId, runBadge(last.state))}
    <small>${time(last.at, now)}${again}</small>`;
}

const nextRun = ({ nextScheduledAt }: JobSummary, now: Instant): Html =>
  nextScheduledAt === null ? html`<span class="none">–</span>` : time(nextScheduledAt, now);

const runNowButton = (name: string): Html =>
  action({ url: `/jobs/${pathPart(name)}/runs`, label: 'Run now', about: name });
