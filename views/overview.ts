import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { jobsTable, noJobs } from './jobs.ts';
import { filtering, inPlace, options } from './layout.ts';
import type { JobGroup, ListedJob } from './listed-job.ts';
import { runsUrl } from './runs-page.ts';
import { mark } from './state.ts';
import { count, number } from './time.ts';
import { withQuery } from './urls.ts';

/** What the list of jobs was asked to show; null where it was not asked for. */
export interface JobsAsked {
  readonly text: string | null;
  readonly tag: string | null;
  readonly state: JobGroup | null;
  /** From 1. */
  readonly page: number;
}

export interface Overview {
  readonly now: Instant;
  readonly asked: JobsAsked;
  /** What of it could not be understood, in words. */
  readonly problem: string | null;
  /** One page of the jobs that were asked for, in the order in which they are shown. */
  readonly jobs: readonly ListedJob[];
  readonly pages: number;
  /** How many jobs were asked for, and how many there are. */
  readonly found: number;
  readonly all: number;
  /** Whether the store has more jobs than are looked at. */
  readonly more: boolean;
  /** How many of all jobs are in each group. */
  readonly groups: readonly (readonly [JobGroup, number])[];
  /** Tags, with how many jobs have each. */
  readonly tags: readonly (readonly [string, number])[];
  /** Runs that went wrong in the last 24 hours; null where that is not known of all jobs. */
  readonly wrong: { readonly count: number; readonly atLeast: boolean } | null;
}

/** The front page: all jobs, or those that were asked for. */
export const overview = (of: Overview): Html =>
  of.all === 0
    ? html`<section><h1>Jobs</h1>${noJobs}</section>`
    : html`<section class="overview">
    <div class="head"><h1>Jobs</h1>${groups(of)}</div>
    ${of.wrong !== null && lastDay(of.wrong)}
    ${filter(of)}
    ${of.problem !== null && html`<p class="refused" role="alert">${of.problem}</p>`}
    ${of.found === 0 ? noMatch : jobsTable(of.jobs, of.now)}
    ${pager(of)}
  </section>`;

const noMatch = html`<div class="empty">
  <h2>No job is like that</h2>
  <p>Take something out of the filter, or <a href="/">look at all jobs</a>.</p>
</div>`;

/** What each group means, for those who wonder. */
const MEANINGS: Readonly<Record<JobGroup, string>> = {
  broken: 'set aside, since their record can’t be used',
  failing: 'their last run went wrong',
  active: 'neither paused, nor retired, nor broken',
  running: 'at work now',
  waiting: 'between two attempts, or in line for a slot',
  tight: 'long runs take 70 % of their interval or more',
  paused: 'start nothing until they are resumed',
  retired: 'no longer in the code',
};

/** These are told also where there are none. */
const ALWAYS: ReadonlySet<JobGroup> = new Set(['failing', 'active', 'running', 'paused']);

/** The number of jobs in each state: each leads to those. */
const groups = ({ groups: all, all: number, asked }: Overview): Html =>
  html`<nav class="groups" aria-label="Jobs by state">${link(
    { ...asked, state: null, page: 1 },
    asked.state === null,
    html`<b>${number}</b> ${number === 1 ? 'job' : 'jobs'}`,
  )}${all
    .filter(([group, n]) => n > 0 || ALWAYS.has(group) || group === asked.state)
    .map(([group, n]) =>
      link(
        { ...asked, state: group, page: 1 },
        asked.state === group,
        html`<b>${n}</b> ${group}`,
        html` title="${MEANINGS[group]}" class="${n === 0 ? 'zero' : group}"`,
      ),
    )}</nav>`;

/** A link within the list: it changes the page in place, where there are scripts. */
const link = (to: JobsAsked, isHere: boolean, label: Html, rest: Printable = null): Html =>
  html`<a href="${jobsUrl(to)}"
    ${inPlace(jobsUrl(to))}${isHere && html` aria-current="true"`}${rest}>${label}</a>`;

/** The list as it was asked for, as an address. */
export const jobsUrl = ({ text, tag, state, page }: JobsAsked): string =>
  withQuery('/', {
    text: text ?? '',
    tag: tag ?? '',
    state: state ?? '',
    page: page > 1 ? String(page) : '',
  });

const WRONG = runsUrl('state:problem since:24h');

const lastDay = ({ count: n, atLeast }: { count: number; atLeast: boolean }): Html =>
  n === 0 && !atLeast
    ? html`<p class="day good">${mark('succeeded')} Nothing went wrong in the last 24 hours.</p>`
    : html`<p class="day bad">${mark('failed')} <a href="${WRONG}">${
        n === 0 ? 'Some runs' : `${atLeast ? 'At least ' : ''}${count(n, 'run')}`
      } went wrong</a> in the last 24 hours.</p>`;

const filter = ({ asked, tags }: Overview): Html => html`<form id="filter" action="/"
    ${filtering('/')}>
    <input id="filter-text" type="search" name="text" value="${asked.text}" maxlength="100"
      placeholder="Name, description or tag" aria-label="Filter by text" autocomplete="off"
      autocapitalize="off" spellcheck="false" data-search>
    ${(tags.length > 0 || asked.tag !== null) && tagChoice(tags, asked.tag)}
    ${asked.state !== null && html`<input type="hidden" name="state" value="${asked.state}">`}
    <button class="unseen">Filter</button>
  </form>`;

function tagChoice(tags: Overview['tags'], chosen: string | null): Html {
  const known = chosen === null || tags.some(([tag]) => tag === chosen);
  const all = known ? tags : [...tags, [chosen, 0] as const];
  return html`<select id="filter-tag" name="tag" aria-label="Tag">
    <option value="">All tags</option>${options(
      all.map(([tag, n]) => [tag, `${tag} (${n})`]),
      chosen ?? '',
    )}</select>`;
}

/**
 * Which part of the list this is, and the way to the others; nothing where it is all there is.
 * Plain links: whoever turns a page at its foot begins the next one at its head.
 */
function pager({ asked, found, all, pages, more }: Overview): Printable {
  if (found === all && pages === 1 && !more) return null;
  const { page } = asked;
  const to = (other: number): JobsAsked => ({ ...asked, page: other });
  return html`<p class="pager">
    ${page > 1 && html`<a href="${jobsUrl(to(page - 1))}">← Previous page</a>`}
    <span>${found < all && `${number(found)} of `}${count(all, 'job')}${
      pages > 1 && `, page ${page} of ${pages}`
    }</span>
    ${page < pages && html`<a href="${jobsUrl(to(page + 1))}">Next page →</a>`}
    ${
      more &&
      html`<span>The store has more: only the first by name are read, since each is
      billed.</span>`
    }</p>`;
}
