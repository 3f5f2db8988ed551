import type { Run } from '../server/core/records.ts';
import type { FilterProblem } from '../server/core/run-filter.ts';
import { FILTER_LIMIT, runFilterText, type FilterWords } from '../server/core/run-filter.ts';
import { isoInstant, type Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { filtering } from './layout.ts';
import { pager, type Looked, type Trail } from './pager.ts';
import { noRuns, runsTable } from './runs.ts';
import { withQuery } from './urls.ts';

/** Runs of all jobs, and the filter that they were found by. */
export interface RunsView {
  /** As typed. */
  readonly q: string;
  readonly problems: readonly FilterProblem[];
  /** Whole filters that may be meant by what is typed so far. */
  readonly hints: readonly string[];
  /** The job that is asked for, if one is. */
  readonly job: string | undefined;
  /** Null where the filter can't be read. */
  readonly found: Found | null;
  readonly trail: Trail;
  /** What `since:2d` counts back from; null where nothing counts back. */
  readonly asOf: Instant | null;
  readonly now: Instant;
}

export interface Found {
  readonly runs: readonly Run[];
  readonly next: string | undefined;
  /** How far text was looked for; null where none was. */
  readonly search: Looked | null;
}

export const runsBody = (view: RunsView): Html => html`<section>
    <div class="head"><h1>Runs</h1></div>
    ${filterForm(view)}
    ${quickLinks(view)}
    ${help}
    ${problems(view.problems)}
    ${view.found !== null && list(view, view.found)}
  </section>`;

const filterForm = ({ q, hints }: RunsView): Html => html`<form id="filter" action="/runs"
    ${filtering('/runs')}>
    <input id="q" type="search" name="q" value="${q.slice(0, 2 * FILTER_LIMIT)}"
      data-search list="hints" aria-label="Filter runs" placeholder="state:problem since:24h"
      maxlength="${FILTER_LIMIT}"
      autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false">
    <datalist id="hints">${hints.map((hint) => html`<option value="${hint}">`)}</datalist>
    <button>Show</button>
  </form>`;

const code = (word: string): Html => html`<code>${word}</code> `;

const HELP = [
  ['job:nightly-report', 'one job, by its whole name'],
  [
    'state:failed  state:failed,lost',
    'one state or several: queued, running, retry_wait, succeeded, failed, timed_out, cancelled, ' +
      'lost, skipped, missed',
  ],
  ['state:problem', 'failed, timed_out, lost, missed'],
  ['state:live', 'queued, running, retry_wait'],
  ['state:done', 'succeeded, failed, timed_out, cancelled, lost'],
  ['trigger:manual', 'why it exists: schedule, manual, backfill'],
  ['since:2d  until:90m', 'a length of time back from now: w, d, h, m'],
  ['since:2026-11-28  until:today', 'a whole day, in UTC: a date, today, yesterday'],
  ['since:2026-11-28T08:00Z', 'an instant'],
  [
    'timeout  "disk full"',
    'text: in the id, the error, the notes, the input, the output, the name of who asked for it',
  ],
] as const;

const help: Html = html`<details id="filter-help" hx-morph-skip>
  <summary>What the filter understands</summary>
  <dl>${HELP.map(
    ([words, means]) => html`<div><dt>${words.split('  ').map(code)}</dt><dd>${means}</dd></div>`,
  )}</dl>
  </details>`;

const QUICK = [
  ['Problems of the last 24 h', { state: 'problem', since: '24h' }],
  ['Running now', { state: 'live' }],
  ['By hand', { trigger: 'manual' }],
  ['Skipped and missed', { state: 'skipped,missed' }],
] as const satisfies readonly (readonly [string, FilterWords])[];

/** Filters that are asked for again and again; the job stays, where one is chosen. */
function quickLinks({ q, job }: RunsView): Html {
  const of: FilterWords = job === undefined ? {} : { job };
  const links: readonly (readonly [string, FilterWords])[] = [
    ['All runs', {}],
    ...(job === undefined ? [] : ([[`All of ${job}`, of]] as const)),
    ...QUICK.map(([label, words]) => [label, { ...of, ...words }] as const),
  ];
  return html`<nav class="quick" aria-label="Filters">${links.map(([label, words]) => {
    const text = runFilterText(words);
    const here = text === q.trim();
    return html`<a href="${runsUrl(text)}"${here && html` aria-current="true"`}>${label}</a>`;
  })}</nav>`;
}

/** The list that a filter finds. */
export const runsUrl = (q: string): string => withQuery('/runs', { q });

/** A filter of nothing but mistakes has many; whoever mends these sees the next. */
const PROBLEMS_SHOWN = 6;

/** Each thing that is wrong, with what would be right. */
const problems = (all: readonly FilterProblem[]): Html =>
  html`<div id="problems" role="status">${
    all.length > 0 &&
    html`<ul class="changes">${all
      .slice(0, PROBLEMS_SHOWN)
      .map(
        ({ message, instead }) =>
          html`<li class="refused">${message}${
            instead !== null &&
            html`. Did you mean <a href="${runsUrl(instead)}"><code>${instead}</code></a>?`
          }</li>`,
      )}</ul>
    <p class="none">Nothing is shown until the filter can be read.</p>`
  }</div>`;

function list(view: RunsView, found: Found): Html {
  const { q, trail, now, asOf } = view;
  const { runs, next, search } = found;
  const query = {
    q: q.trim(),
    ...(asOf !== null && (next !== undefined || trail.length > 0) && { asOf: isoInstant(asOf) }),
  };
  return html`${runs.length > 0 ? runsTable(runs, now, { job: 'shown' }) : nothing(view, found)}
    ${pager({
      path: '/runs',
      query,
      trail,
      next,
      noun: 'run',
      looked: search,
    })}`;
}

/** Says what to do next, where nothing was found. */
function nothing({ q, trail, job }: RunsView, { next, search }: Found): Html {
  if (q.trim() === '' && trail.length === 0) return noRuns;
  if (next !== undefined && search !== null) {
    return html`<div class="empty"><p>Nothing among these runs. There are older ones.</p></div>`;
  }
  const widen =
    job === undefined
      ? html`<a href="/runs">Show all runs</a>`
      : html`<a href="${runsUrl(runFilterText({ job }))}">Show all runs of ${job}</a>`;
  return html`<div class="empty"><p>No ${trail.length > 0 && 'more '}runs like this. ${widen}</p>
  </div>`;
}
