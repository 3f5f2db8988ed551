import type { Run } from '../server/core/records.ts';
import { isoInstant, type Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { filtering, options } from './layout.ts';
import { pager, type Looked, type Trail } from './pager.ts';
import { runsTable } from './runs.ts';
import { jobUrl, withQuery } from './urls.ts';

/** What narrows a job's history down, as it was typed; '' for what does not. */
export interface HistoryFilter {
  readonly state: string;
  readonly trigger: string;
  readonly since: string;
  readonly until: string;
  readonly text: string;
}

/** A part of a job's history. */
export interface JobHistory {
  readonly filter: HistoryFilter;
  /** What is wrong with the filter; then there are no runs. */
  readonly problems: readonly string[];
  readonly runs: readonly Run[];
  readonly trail: Trail;
  readonly next: string | undefined;
  /** What `2d` counts back from; null where nothing counts back. */
  readonly asOf: Instant | null;
  /** How far text was looked for; null where none was. */
  readonly search: Looked | null;
}

/** What the filter offers. */
export interface FilterChoices {
  readonly states: readonly (readonly [value: string, words: string])[];
  readonly triggers: readonly string[];
}

/** The page of a job with a part of its history in sight. */
export const historyUrl = (name: string, filter: Partial<HistoryFilter>): string =>
  `${withQuery(jobUrl(name), { ...filter })}#history`;

export const isFiltered = (filter: HistoryFilter): boolean =>
  Object.values(filter).some((value) => value !== '');

/** The runs of a job, newest first, with what narrows them down. */
export const historySection = (
  name: string,
  history: JobHistory,
  shown: { readonly choices: FilterChoices; readonly now: Instant },
): Html => html`<section id="history">
    <h2>History</h2>
    ${filterForm(name, history.filter, shown.choices)}
    <div id="problems" role="status">${problems(history.problems)}</div>
    ${history.problems.length === 0 && list(name, history, shown.now)}
  </section>`;

const problems = (all: readonly string[]): Html | false =>
  all.length > 0 &&
  html`<ul class="changes">${all.map((words) => html`<li class="refused">${words}</li>`)}</ul>`;

const filterForm = (name: string, filter: HistoryFilter, choices: FilterChoices): Html =>
  html`<form id="filter" action="${jobUrl(name)}#history" ${filtering(jobUrl(name))}>
    ${select('state', 'Outcome', filter.state, choices.states)}
    ${select('trigger', 'Trigger', filter.trigger, choices.triggers.map(same))}
    ${timeField('since', filter.since)}
    ${timeField('until', filter.until)}
    <input id="text" type="search" name="text" value="${filter.text}" data-search
      aria-label="Text" placeholder="text of an error, an input, an output" maxlength="200"
      autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false">
    <datalist id="times">${TIMES.map((one) => html`<option value="${one}">`)}</datalist>
    <button>Show</button>
    ${isFiltered(filter) && html`<a href="${historyUrl(name, {})}">Show all</a>`}
  </form>`;

const TIMES = ['1h', '24h', '7d', '30d', 'today', 'yesterday'];

const same = (text: string): readonly [string, string] => [text, text];

const timeField = (name: 'since' | 'until', value: string): Html =>
  html`<label class="inline" for="${name}">${name}</label>
    <input id="${name}" name="${name}" value="${value}" list="times" size="10" maxlength="40"
      placeholder="2d, today" autocomplete="off" autocapitalize="off" spellcheck="false">`;

function select(
  name: string,
  label: string,
  value: string,
  offered: readonly (readonly [value: string, words: string])[],
): Html {
  const any = ['', `Any ${label.toLowerCase()}`] as const;
  const known = value === '' || offered.some(([one]) => one === value);
  // What was written into the address by hand stays in sight.
  const all = [any, ...offered, ...(known ? [] : [same(value)])];
  return html`<select id="${name}" name="${name}" aria-label="${label}">${options(
    all,
    value,
  )}</select>`;
}

function list(name: string, history: JobHistory, now: Instant): Html {
  const { runs, filter, trail, next, asOf, search } = history;
  const goesOn = next !== undefined || trail.length > 0;
  const any = runs.length > 0 || (trail.length === 0 && !isFiltered(filter));
  return html`${any ? runsTable(runs, now, { job: 'hidden' }) : nothing(name, history)}
    ${pager({
      path: jobUrl(name),
      place: '#history',
      query: { ...filter, ...(asOf !== null && goesOn && { asOf: isoInstant(asOf) }) },
      trail,
      next,
      noun: 'run',
      looked: search,
    })}`;
}

/** Says what to do next, where nothing was found. */
function nothing(name: string, { trail, next, search }: JobHistory): Html {
  if (next !== undefined && search !== null) {
    return html`<div class="empty"><p>Nothing among these runs. There are older ones.</p></div>`;
  }
  return html`<div class="empty"><p>No ${trail.length > 0 && 'more '}runs like this.
    <a href="${historyUrl(name, {})}">Show all runs of ${name}</a></p></div>`;
}
