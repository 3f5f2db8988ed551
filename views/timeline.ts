import { isFailure } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { axisLabels, drawnOnce, REACHES, type Axis, type Reach } from './axis.ts';
import { html, type Html, type Printable } from './html.ts';
import { noJobs } from './jobs.ts';
import { overlapWords, shortened, tally, tracksOf, type JobLane } from './lanes.ts';
import { filtering, inPlace, options } from './layout.ts';
import { jobLink } from './runs.ts';
import { jobBadge } from './state.ts';
import { count, dayTime, duration, time } from './time.ts';
import { withQuery } from './urls.ts';

/** What somebody wants to see of the timeline; all of it stands in the page's address. */
export interface TimelineAsked {
  readonly text: string;
  readonly tag: string;
  readonly hours: Reach;
  /** From 1. */
  readonly page: number;
}

export interface TimelineView {
  readonly now: Instant;
  readonly axis: Axis;
  readonly asked: TimelineAsked;
  /** All tags that there are. */
  readonly tags: readonly string[];
  /** One page of them. */
  readonly lanes: readonly JobLane[];
  readonly pages: number;
  readonly jobs: JobCounts;
  readonly history: HistoryRead;
}

/** How many jobs there are, and of those that match how many have a lane, and had a problem. */
export interface JobCounts {
  readonly all: number;
  readonly matching: number;
  readonly drawn: number;
  readonly problems: number;
  /** Whether the store has more jobs than are looked at. */
  readonly more: boolean;
}

/** Which problems are shown of those that the records of the jobs no longer tell. */
export type HistoryRead =
  | { readonly kind: 'all' }
  /** Those since an instant: there were too many. */
  | { readonly kind: 'cut'; readonly since: Instant }
  /** None: each record read is billed. */
  | { readonly kind: 'none' };

/** What all jobs did and will do around now. */
export const timelineBody = (view: TimelineView): Html => html`<section class="timeline">
    <h1>Timeline</h1>
    ${view.jobs.drawn > 0 && html`<p class="sum">${sum(view)}</p>`}
    ${filter(view)}
    ${view.lanes.length === 0 ? nothing(view) : chart(view)}
  </section>`;

/** The answer to what most people come for. */
function sum({ jobs, axis, history }: TimelineView): Html {
  const { problems, drawn } = jobs;
  const back = `in the last ${axis.hours} hours`;
  if (problems > 0) {
    return html`<b class="bad">${count(problems, 'job')} had problems</b> ${back}${
      problems < drawn && `, ${drawn - problems} had none`
    }.`;
  }
  return history.kind === 'none'
    ? html`No problems among the last outcomes of ${count(drawn, 'job')}.`
    : html`No problems ${back}.`;
}

function filter({ asked, tags }: TimelineView): Html {
  const { text, tag, hours } = asked;
  return html`<form action="/timeline" ${filtering('/timeline')}>
    <input type="search" name="text" value="${text}" placeholder="Name, description or tag"
      aria-label="Filter by text" maxlength="100" autocomplete="off"
      spellcheck="false" data-search>
    ${(tags.length > 0 || tag !== '') && tagChoice(tags, tag)}
    ${hours !== REACHES[0] && html`<input type="hidden" name="hours" value="${hours}">`}
    <button class="unseen">Show</button>
    <span class="reach" role="group" aria-label="How far each way">${REACHES.toSorted(
      (a, b) => a - b,
    ).map((reach) => reachLink(asked, reach))}</span>
  </form>`;
}

const tagChoice = (tags: readonly string[], chosen: string): Html => html`<select name="tag"
    aria-label="Tag"><option value="">All tags</option>${options(
      [...new Set([...tags, chosen])].filter((tag) => tag !== '').map((tag) => [tag, tag]),
      chosen,
    )}</select>`;

const REACH_WORDS: Readonly<Record<Reach, string>> = { 6: '6 h', 24: '24 h', 72: '3 days' };

const reachLink = (asked: TimelineAsked, hours: Reach): Html =>
  html`<a ${pageLink({ ...asked, hours, page: 1 })}${
    hours === asked.hours && html` aria-current="true"`
  }>± ${REACH_WORDS[hours]}</a>`;

/** The attributes of a link to the same page, otherwise asked. */
const pageLink = (asked: TimelineAsked): Html =>
  html`href="${timelineUrl(asked)}" ${inPlace(timelineUrl(asked))}`;

export const timelineUrl = ({ text, tag, hours, page }: TimelineAsked): string =>
  withQuery('/timeline', {
    text,
    tag,
    hours: hours === REACHES[0] ? '' : `${hours}`,
    page: page > 1 ? `${page}` : '',
  });

function nothing({ jobs, asked, axis }: TimelineView): Html {
  if (jobs.all === 0) return noJobs;
  if (jobs.matching === 0) {
    return html`<div class="empty"><h2>No job matches</h2>
      <p><a href="${timelineUrl({ ...asked, text: '', tag: '', page: 1 })}">Show all
        ${count(jobs.all, 'job')}</a>.</p></div>`;
  }
  const wider = REACHES.find((reach) => reach > asked.hours);
  return html`<div class="empty"><h2>Nothing from ${dayTime(axis.from)} to
      ${dayTime(axis.to)} UTC</h2>
    <p>None of ${count(jobs.matching, 'job')} ran in this time, and none is to come.${
      wider !== undefined &&
      html` <a href="${timelineUrl({ ...asked, hours: wider, page: 1 })}">Look at
        ${REACH_WORDS[wider]} each way</a>.`
    }</p></div>`;
}

function chart(view: TimelineView): Html {
  const { axis, lanes } = view;
  const tracks = tracksOf(lanes, axis);
  return html`${legend}${drawnOnce(axis)}
    <div class="chart" data-from="${axis.from}" data-to="${axis.to}">
      <div class="top-axis"><div class="zones" aria-hidden="true"><span></span>
        <span>UTC</span><span data-here-zone></span></div>${axisLabels(axis)}</div>
      <ol class="lanes">${lanes.map((lane, i) => laneRow(lane, tracks[i], view))}</ol>
      <div id="tl-cursor" class="cursor" hx-morph-skip hidden aria-hidden="true">
        <output></output></div>
    </div>
    ${remarks(view)}${pager(view)}`;
}

const laneRow = (lane: JobLane, track: Printable, { axis, now }: TimelineView): Html => html`
  <li id="lane-${lane.job.name}" class="lane" data-row tabindex="-1">
    <div class="who">${jobLink(lane.job.name)}
      ${line(warnings(lane, axis))}${line(notes(lane, now))}</div>
    ${track}
  </li>`;

const between = (parts: readonly Printable[]): Printable =>
  parts.filter(Boolean).map((part, i) => (i === 0 ? part : html` · ${part}`));

const line = (parts: readonly Printable[]): Printable =>
  parts.some(Boolean) && html`<small>${between(parts)}</small>`;

/** What wants somebody to look. */
function warnings(lane: JobLane, axis: Axis): Printable[] {
  const { job, overlapping, due } = lane;
  const lateOnes = lane.ended.filter(({ lateMs }) => lateMs >= axis.unitMs).length;
  return [
    BADGED.has(job.state) && jobBadge(job.state),
    ...[
      shortened(job.problem ?? ''),
      problemWords(lane),
      due.at.length + due.bands.length > 0 ? dueWords(lane) : '',
      overlapping.length > 0 ? overlapWords(lane) : '',
    ].map((words) => words !== '' && html`<b class="bad">${words}</b>`),
    lateOnes > 0 && `${lateOnes} late`,
  ];
}

const dueWords = ({ underway }: JobLane): string =>
  underway.some(({ state }) => state === 'running')
    ? 'due, waits for the run at work'
    : 'due, not decided yet';

/** What the track does not say by itself. */
function notes(lane: JobLane, now: Instant): Printable[] {
  const { typicalMs, knownFrom } = lane;
  return [
    next(lane, now),
    typicalMs !== null && `about ${duration(typicalMs)}`,
    knownFrom !== null && '60 newest drawn',
  ];
}

const BADGED: ReadonlySet<string> = new Set(['paused', 'broken', 'retired', 'waiting']);

/** `2 failed, 14 missed`. */
const problemWords = ({ ended }: JobLane): string =>
  tally(ended.filter(({ state }) => isFailure(state)));

function next({ job }: JobLane, now: Instant): Printable {
  if (job.nextScheduledAt !== null) return html`next ${time(job.nextScheduledAt, now)}`;
  return job.schedule === null && 'only by hand';
}

/** What is left out, and why. */
function remarks({ jobs, history, axis }: TimelineView): Printable {
  const idle = jobs.matching - jobs.drawn;
  return html`<p class="none remarks">${between([
    idle > 0 &&
      `${count(idle, 'more job')} ${idle === 1 ? 'has' : 'have'} nothing from
      ${dayTime(axis.from)} to ${dayTime(axis.to)}`,
    jobs.more && `the store has more than the ${count(jobs.all, 'job')} looked at here`,
    history.kind === 'cut' &&
      `there were more problems than are shown: those since ${dayTime(history.since)} are`,
    history.kind === 'none' &&
      'drawn from the outcomes that each job has at hand; reading more is billed here',
  ])}</p>`;
}

function pager({ asked, pages, jobs }: TimelineView): Printable {
  if (pages <= 1) return null;
  const { page } = asked;
  const url = (other: number): string => timelineUrl({ ...asked, page: other });
  return html`<nav class="pager" aria-label="More lanes">
    ${page > 1 && html`<a href="${url(page - 1)}">← Previous page</a>`}
    <span>${count(jobs.drawn, 'job')}, page ${page} of ${pages}</span>
    ${page < pages && html`<a href="${url(page + 1)}">Next page →</a>`}
  </nav>`;
}

const sample = (words: string, drawing: Html): Html => html`<li><svg viewBox="0 0 72 28"
  preserveAspectRatio="none" aria-hidden="true">${drawing}</svg>${words}</li>`;

const legend: Html = html`<ul class="legend" aria-label="What is drawn how">${[
  sample('succeeded', html`<g class="good"><path d="M24 8h26v14h-26z"/></g>`),
  sample('failed', html`<g class="bad"><path d="M26 2h20v14h-20zM26 20h20v6h-20z"/></g>`),
  sample('missed', html`<g class="bad"><path fill="url(#tl-missed)" d="M4 8h64v14h-64z"/></g>`),
  sample('skipped', html`<g class="quiet"><path fill="url(#tl-skipped)" d="M4 8h64v14h-64z"/></g>`),
  sample('cancelled', html`<g class="quiet"><path d="M24 17h26v5h-26z"/></g>`),
  sample('running', html`<g class="live"><path class="at-work" d="M24 8h26v14h-26z"/></g>`),
  sample(
    'late',
    html`<path class="late" d="M4 11v8M4 15h48"/><g class="good"><path
    d="M52 8h16v14h-16z"/></g>`,
  ),
  sample('to come', html`<path class="coming" d="M18 9h36v12h-36z"/>`),
  sample(
    'overlaps',
    html`<path class="coming" d="M18 9h36v12h-36z"/><path class="overlap"
    d="M25 1h22l-11 7z"/>`,
  ),
]}</ul>`;
