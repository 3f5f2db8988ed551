import type { Figures, Headroom } from '../server/core/stats.ts';
import type { Instant } from '../server/core/time.ts';
import { brief, bytesOf } from './fit.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { isProblem, type ListedJob } from './listed-job.ts';
import { jobLink, runLink } from './runs.ts';
import { scheduleWords } from './schedule-words.ts';
import { jobBadge, mark, runBadge, toneOf } from './state.ts';
import { strip } from './strip.ts';
import { count, countdown, duration, time } from './time.ts';
import { jobUrl } from './urls.ts';

/** Jobs in the order that they are given in. What all buttons have in common is said once. */
export const jobsTable = (jobs: readonly ListedJob[], now: Instant): Html => html`<table
  class="jobs">
    <thead>
      <tr><th scope="col">Job</th><th scope="col">Schedule</th><th scope="col">State</th>
        <th scope="col">Last run</th><th scope="col">Next run</th><th scope="col">Last 60 runs</th>
        <th scope="col" title="p50: half of the last runs took no longer. p95: 95 of 100 did not."
        >Duration</th><th scope="col"><span class="unseen">Actions</span></th></tr>
    </thead>
    <tbody hx-target:inherited="#message" hx-swap:inherited="innerHTML"
    hx-disable:inherited="find button">${jobs.map((job) => jobRow(job, now))}</tbody>
  </table>`;

/** What to do where there are none. */
export const noJobs = html`<div class="empty">
  <h2>No jobs yet</h2>
  <p>Describe one with <code>defineJob</code> in a file of its own under <code>jobs/</code>, list it
    in <code>jobs/index.ts</code>, and start the service again. It appears here by itself.</p>
</div>`;

/** Written close together: a page has many of them, and a poll may send all. */
export const jobRow = (job: ListedJob, now: Instant): Html => html`
<tr id="job-${job.name}"${isProblem(job) && html` class="problem"`} data-row tabindex="-1">
<td class="name">${jobLink(job.name)} ${tags(job.tags)}
${job.description !== '' && html`<small>${brief(job.description, TEXT_SHOWN)}</small>`}</td>
<td class="schedule">${schedule(job)}</td>
<td class="state">${stateNow(job)}${whyState(job, now)}</td>
<td class="last">${lastRun(job, now)}</td>
<td class="next">${nextRun(job, now)}</td>
<td class="recent">${strip(job.name, job.packed)}${success(job.figures)}</td>
<td class="lengths">${lengths(job)}</td>
<td class="act">${canRun(job) && actions(job)}</td></tr>`;

/**
 * How many bytes a row may take, rather too many, so that pages of them can be cut to a size. Most
 * of it is the same for each job; only what may be long is looked at, as it is written in a page.
 */
export function rowBytes(job: ListedJob): number {
  const { name, timeZone, paused, problem, last, unfinished } = job;
  const tagsShown = job.tags.slice(0, TAGS_SHOWN);
  const schedule = brief(job.schedule ?? '', TEXT_SHOWN);
  const notes = [paused?.note ?? '', paused?.by ?? '', problem ?? '', job.description];
  const texts = [...notes.map((text) => brief(text, TEXT_SHOWN)), schedule, schedule];
  const links = [last?.runId ?? '', unfinished[0] ?? '', ...tagsShown].map(pathPart);
  const said = [...texts, ...tagsShown, timeZone, timeZone].reduce((sum, text) => {
    return sum + bytesOf(text);
  }, 0);
  const urls = links.reduce((sum, link) => sum + link.length, 8 * pathPart(name).length);
  return 2200 + said + urls + 5 * bytesOf(name) + job.packed.length + 9 * job.figures.bad;
}

const TEXT_SHOWN = 160;
const TAGS_SHOWN = 4;

function tags(all: readonly string[]): Printable {
  if (all.length === 0) return null;
  const more = all.length - TAGS_SHOWN;
  return html`<span class="tags">${all
    .slice(0, TAGS_SHOWN)
    .map((tag) => html`<a href="/?tag=${pathPart(tag)}">${tag}</a> `)}${
    more > 0 && html`<span>${count(more, 'more tag')}</span>`
  }</span>`;
}

function schedule({ schedule: text, timeZone, name }: ListedJob): Html {
  const words = brief(scheduleWords(text, timeZone, name), TEXT_SHOWN);
  if (text === null) return html`<span class="none">${words}</span>`;
  return html`<span title="${brief(text, TEXT_SHOWN)} (${timeZone})">${words}</span>
<small>${timeZone}</small>`;
}

function stateNow({ state, unfinished: [first] }: ListedJob): Html {
  return first === undefined ? jobBadge(state) : runLink(first, jobBadge(state));
}

function whyState(job: ListedJob, now: Instant): Printable {
  const { paused, problem } = job;
  if (problem !== null) return html`<small class="bad">${brief(problem, TEXT_SHOWN)}</small>`;
  if (paused === null) return !job.known && html`<small>not in this build’s code</small>`;
  return html`<small>${paused.by !== null && `by ${brief(paused.by, TEXT_SHOWN)} `}${
    paused.until === null ? 'until resumed' : html`until ${time(paused.until, now)}`
  }${paused.note !== null && `: ${brief(paused.note, TEXT_SHOWN)}`}</small>`;
}

function lastRun({ last, streak }: ListedJob, now: Instant): Html {
  if (last === null) return html`<span class="none">none yet</span>`;
  const again = streak < -1 && toneOf(last.state) === 'bad' && `, ${-streak} times in a row`;
  return html`${runLink(last.runId, runBadge(last.state))}
<small>${time(last.at, now)}${again}</small>`;
}

const nextRun = ({ nextScheduledAt }: ListedJob, now: Instant): Html =>
  nextScheduledAt === null ? html`<span class="none">–</span>` : countdown(nextScheduledAt, now);

/** Rounded down: it says 100 % only where nothing went wrong. */
function success({ good, bad }: Figures): Printable {
  if (good + bad === 0) return null;
  const share = Math.floor((100 * good) / (good + bad));
  return html`<small>${share} % of ${good + bad} succeeded</small>`;
}

/** Beside what a long run may take, where the next one comes: the time until then. */
function lengths({ figures: { p50Ms, p95Ms }, headroom }: ListedJob): Html {
  if (p50Ms === null || p95Ms === null) return html`<span class="none">–</span>`;
  return html`<dl><div><dt>p50</dt> <dd>${duration(p50Ms)}</dd></div>
<div${headroom?.tight === true && html` class="tight"`}><dt>p95</dt> <dd>${duration(p95Ms)}${
    headroom !== null && ` of ${timeFor(headroom)}`
  }</dd></div></dl>${headroom !== null && room(headroom)}`;
}

const timeFor = ({ intervalMs, atOnce }: Headroom): string =>
  `${duration(intervalMs * atOnce)}${atOnce > 1 ? ` for ${atOnce} at once` : ''}`;

function room({ used, tight }: Headroom): Html {
  const width = Math.min(100, Math.max(1, Math.round(used * 100)));
  const share = used < 0.01 ? 'under 1 %' : `${Math.floor(used * 100)} %`;
  return html`<span class="room${tight && ' tight'}">${tight && mark('missed')}<svg role="img"
aria-label="p95 is ${share} of the interval"><rect width="100%" height="4"/><rect class="used"
width="${width}%" height="4"/></svg></span>`;
}

const canRun = ({ known, state }: ListedJob): boolean =>
  known && state !== 'retired' && state !== 'broken';

function actions({ name, paused }: ListedJob): Html {
  const [verb, label] = paused === null ? ['pause', 'Pause'] : ['resume', 'Resume'];
  return html`${button(name, 'runs', 'Run now')}${button(name, verb, label)}`;
}

/** As `action` in layout.ts; the table has the rest. */
function button(job: string, what: string, label: string): Html {
  const url = jobUrl(job, `/row/${what}`);
  return html`<form method="post" action="${url}" hx-post="${url}">
<button aria-label="${label}: ${job}">${label}</button></form>`;
}
