import type { ActionRecord, DayTally, Pause } from '../server/core/records.ts';
import type { JobSummary } from '../server/core/summary.ts';
import type { Instant } from '../server/core/time.ts';
import { actionsTable } from './actions.ts';
import { runningNotice, type RunningBackfill } from './backfill.ts';
import { calendar, firstDay } from './calendar.ts';
import { durationsChart, type Durations } from './durations.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { factRows } from './layout.ts';
import {
  pausePanel,
  resumeButton,
  runAtOnce,
  runPanel,
  type PauseForm,
  type RunForm,
} from './job-forms.ts';
import { historySection, historyUrl, type FilterChoices, type JobHistory } from './job-history.ts';
import { scheduleSection, type JobSchedule } from './job-schedule.ts';
import { scheduleWords } from './schedule-words.ts';
import { settingsSection, type JobSettings } from './job-settings.ts';
import { jobBadge, runBadge } from './state.ts';
import { count, countdown, exactTime, number, time } from './time.ts';
import { jobUrl } from './urls.ts';
import { runLink } from './why.ts';

/** All that the page of a job shows. */
export interface JobView {
  readonly now: Instant;
  readonly job: JobSummary;
  readonly schedule: JobSchedule;
  readonly settings: JobSettings | null;
  readonly durations: Durations;
  /** Null where nobody has counted them yet. */
  readonly days: readonly DayTally[] | null;
  readonly history: JobHistory;
  readonly choices: FilterChoices;
  readonly actions: readonly ActionRecord[];
  readonly backfill: RunningBackfill | null;
  /** Null where this build can do nothing with the job. */
  readonly forms: { readonly run: RunForm; readonly pause: PauseForm } | null;
}

export const jobBody = (view: JobView): Html => html`
  <div class="head job-head">
    <h1><a href="/">Jobs</a> / <span class="name">${view.job.name}</span></h1>
    ${view.forms !== null && buttons(view, view.forms)}
  </div>
  ${about(view.job)}
  ${notices(view)}
  ${facts(view)}
  ${jump}
  <div class="pair">
    <section id="durations"><h2>Duration and lateness</h2>
      ${durationsChart(view.durations)}</section>
    ${daysSection(view)}
  </div>
  ${historySection(view.job.name, view.history, view)}
  ${scheduleSection(view.job.name, view.schedule, view.now)}
  ${settingsSection(view.job.name, view.settings, view.now)}
  ${actionsSection(view)}`;

const PARTS = ['history', 'schedule', 'settings', 'actions'] as const;

/** The page is long: what is not in sight is one click away. */
const jump: Html = html`<nav class="jump" aria-label="On this page">${PARTS.map(
  (part) => html`<a href="#${part}">${part.replace(/^./, (letter) => letter.toUpperCase())}</a>`,
)}</nav>`;

/** The panels stay as somebody has them; what stands beside them goes by the job's state. */
const buttons = (
  { job, now, schedule }: JobView,
  { run, pause }: NonNullable<JobView['forms']>,
): Html => html`<div class="acts${job.unfinished.length > 0 && ' busy'}">
    ${!run.declared && runAtOnce(job.name, `${run.key}0`)}
    ${runPanel(job.name, run, now)}
    ${job.paused !== null && resumeButton(job.name)}
    ${pausePanel(job.name, job.paused, pause)}
    ${
      schedule.text !== null &&
      html`<a class="button to-change" href="${jobUrl(job.name, '/backfill')}">Backfill…</a>`
    }
  </div>`;

const about = ({ description, tags }: JobSummary): Printable =>
  (description !== '' || tags.length > 0) &&
  html`<p class="lead">${description}${tags.map(
    (tag) => html` <a class="tag" href="/?tag=${pathPart(tag)}">${tag}</a>`,
  )}</p>`;

/** What somebody must know before anything else. */
function notices({ job, settings, backfill, now }: JobView): Printable {
  const { problem, state, known, paused } = job;
  return [
    problem !== null &&
      html`<div class="banner bad"><p class="error"><b>Set aside</b>: ${problem}</p>
        <p class="state">Nothing is decided about this job until its record is put right.</p>
      </div>`,
    state === 'retired' &&
      html`<div class="banner"><p>This job is no longer in the code: it starts nothing more, and its
        history stays.</p></div>`,
    !known &&
      state !== 'retired' &&
      html`<div class="banner"><p>This build’s code does not have this job${
        settings !== null && html`; build <code>${settings.build}</code> defined it`
      }. It can’t be run, paused or backfilled from here.</p></div>`,
    paused !== null && pauseNotice(paused, now),
    backfill !== null && runningNotice(job.name, backfill, now),
  ];
}

const pauseNotice = ({ at, by, note, until }: Pause, now: Instant): Html =>
  html`<div class="notice" id="paused">
    <p><b>Paused</b>${by !== null && ` by ${by}`} ${time(at, now)}, ${
      until === null
        ? 'until somebody resumes it'
        : html`until ${exactTime(until - (until % 1000))}, ${time(until, now)}`
    }.</p>
    ${note !== null && html`<p class="note">${note}</p>`}
  </div>`;

function facts({ job, days, now }: JobView): Html {
  return html`<dl class="facts now">${factRows([
    ['State', stateNow(job)],
    ['Schedule', scheduleNow(job)],
    ['Next run', nextRun(job, now)],
    ['Last run', lastRun(job, now)],
    ['In a row', inARow(job)],
    ['Six weeks', days === null ? null : rate(days, now)],
  ])}</dl>`;
}

function stateNow({ state, unfinished }: JobSummary): Html {
  const [first] = unfinished;
  if (first === undefined) return jobBadge(state);
  const more = unfinished.length - 1;
  return html`${runLink(first, jobBadge(state))}${
    more > 0 && html` <small>and ${count(more, 'more run')} unfinished</small>`
  }`;
}

const scheduleNow = ({ schedule, timeZone, name }: JobSummary): Html =>
  schedule === null
    ? html`<span class="none">only by hand</span>`
    : html`<a class="plain" href="#schedule">${scheduleWords(schedule, timeZone, name)}</a>
        <small>${timeZone}</small>`;

function nextRun({ nextScheduledAt: at, schedule, state }: JobSummary, now: Instant): Html {
  if (at !== null) return html`<b>${countdown(at, now)}</b> <small>${exactTime(at)}</small>`;
  const why = state === 'retired' ? 'never' : schedule === null ? 'only by hand' : 'none to come';
  return html`<span class="none">${state === 'paused' ? 'when resumed' : why}</span>`;
}

const lastRun = ({ last }: JobSummary, now: Instant): Html =>
  last === null
    ? html`<span class="none">none yet</span>`
    : html`${runLink(last.runId, runBadge(last.state))} <small>${time(last.at, now)}</small>`;

/** Runs that ended alike, one after another. */
function inARow({ streak, last }: JobSummary): Printable {
  if (last === null || streak === 0) return null;
  const bad = streak < 0;
  return html`<span class="${bad && 'bad'}">${number(Math.abs(streak))} ${
    bad ? 'went wrong' : 'succeeded'
  }</span>`;
}

/** Of the days that the calendar shows: a job that seldom runs has older ones on record. */
function rate(all: readonly DayTally[], now: Instant): Printable {
  const days = all.filter(({ day }) => day >= firstDay(now));
  const [good, bad] = [sum(days, 'good'), sum(days, 'bad')];
  if (good + bad === 0) return null;
  const share = (100 * good) / (good + bad);
  // One failure of many thousands is not to be rounded away.
  const percent = bad > 0 ? Math.min(99.9, Math.floor(share * 10) / 10) : 100;
  return html`${percent} % succeeded <small>${number(good)} of ${number(good + bad)}</small>`;
}

const sum = (days: readonly DayTally[], key: 'good' | 'bad'): number =>
  days.reduce((total, day) => total + day[key], 0);

const daysSection = ({ days, job, now }: JobView): Html =>
  html`<section id="days"><h2>Outcome by day</h2>${
    days === null
      ? html`<p class="none">Not counted yet: the next run begins to.</p>`
      : calendar(days, { now, href: (midnight) => dayUrl(job.name, midnight) })
  }</section>`;

/** What was done to it last, and by whom. */
const actionsSection = ({ job, actions, now }: JobView): Html => html`<section id="actions">
    <h2>Last actions</h2>
    ${
      actions.length === 0
        ? html`<p class="none">Nobody has done anything to this job yet.</p>`
        : html`${actionsTable(actions, now, { job: 'hidden' })}
          <p class="pager"><a href="/actions?job=${pathPart(job.name)}">All actions on
            ${job.name}</a></p>`
    }
  </section>`;

function dayUrl(name: string, midnight: Instant): string {
  const day = new Date(midnight).toISOString().slice(0, 10);
  return historyUrl(name, { since: day, until: day });
}
