import type { ActionRecord } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { byDay } from './days.ts';
import { html, type Html, type Printable } from './html.ts';
import { filtering, options } from './layout.ts';
import { pager, type Looked, type Trail } from './pager.ts';
import { jobLink, type RunsShown } from './runs.ts';
import { clockTime, time } from './time.ts';
import { withQuery } from './urls.ts';
import { firstLine, runLink, runName } from './why.ts';

/** Who did what. */

export interface ActionsView {
  readonly actions: readonly ActionRecord[];
  /** The filter as it was typed; '' for all. */
  readonly asked: { readonly job: string; readonly by: string };
  /** Why the filter finds nothing; null where it may. */
  readonly problem: ActionsProblem | null;
  /** Jobs that may be meant by what is typed so far. */
  readonly hints: readonly string[];
  readonly trail: Trail;
  readonly next: string | undefined;
  /** How far it was looked for whom is asked for; null where all are shown. */
  readonly search: Looked | null;
  readonly now: Instant;
}

export interface ActionsProblem {
  readonly message: string;
  /** The job that was probably meant. */
  readonly instead: string | undefined;
}

export const actionsBody = (view: ActionsView): Html => html`<section>
    <h1>Actions</h1>
    ${filterForm(view)}
    <div id="problems" role="status">${view.problem !== null && problem(view, view.problem)}</div>
    ${view.problem === null && list(view)}
  </section>`;

const WHO = [
  ['', 'Everybody'],
  ['people', 'People'],
  ['service', 'The service'],
] as const;

function filterForm({ asked, hints }: ActionsView): Html {
  const named = asked.by !== '' && WHO.every(([value]) => value !== asked.by);
  const who = [...WHO, ...(named ? [[asked.by, asked.by] as const] : [])];
  return html`<form id="filter" action="/actions" ${filtering('/actions')}>
    <input id="job" type="search" name="job" value="${asked.job}" data-search list="hints"
      aria-label="Job" placeholder="All jobs" maxlength="63" autocomplete="off"
      autocapitalize="off" autocorrect="off" spellcheck="false">
    <datalist id="hints">${hints.map((hint) => html`<option value="${hint}">`)}</datalist>
    <select id="by" name="by" aria-label="Who">${options(who, asked.by)}</select>
    <button>Show</button>
  </form>`;
}

const problem = ({ asked }: ActionsView, { message, instead }: ActionsProblem): Html =>
  html`<ul class="changes"><li class="refused">${message}${
    instead !== undefined &&
    html`. Did you mean <a href="${actionsUrl({ ...asked, job: instead })}">${instead}</a>?`
  }</li></ul>`;

const actionsUrl = ({ job, by }: ActionsView['asked']): string =>
  withQuery('/actions', { job, by });

function list(view: ActionsView): Html {
  const { actions, asked, trail, next, search, now } = view;
  return html`${actions.length > 0 ? actionsTable(actions, now, { job: 'shown' }) : nothing(view)}
    ${pager({
      path: '/actions',
      query: { job: asked.job, by: asked.by },
      trail,
      next,
      noun: 'action',
      looked: search,
    })}`;
}

function nothing({ asked, trail, next }: ActionsView): Html {
  if (next !== undefined) {
    return html`<div class="empty"><p>Nothing among these. There are older ones.</p></div>`;
  }
  if (trail.length > 0 || asked.job !== '' || asked.by !== '') {
    return html`<div class="empty"><p>No ${trail.length > 0 && 'more '}actions like this.
      <a href="/actions">Show all actions</a></p></div>`;
  }
  return html`<div class="empty"><p>No actions yet. Whatever somebody does here or through the API
    is kept: starting a run, cancelling one, pausing a job.</p></div>`;
}

const COLUMNS = [
  ['time', 'Time'],
  ['by', 'Who'],
  ['what', 'What'],
  ['job', 'Job'],
  ['change', 'Change'],
] as const;

/** Actions, newest first, each UTC day under its own heading. */
export function actionsTable(
  actions: readonly ActionRecord[],
  now: Instant,
  shown: RunsShown,
): Html {
  const columns = COLUMNS.filter(([name]) => name !== 'job' || shown.job === 'shown');
  return html`<table class="action-list">
    <thead><tr>${columns.map(
      ([name, words]) => html`<th scope="col" class="${name}">${words}</th>`,
    )}</tr></thead>
    ${byDay(actions, {
      list: 'actions',
      now,
      columns: columns.length,
      row: (action) => actionRow(action, now, shown),
    })}
  </table>`;
}

export function actionRow(record: ActionRecord, now: Instant, shown: RunsShown): Html {
  const { id, at, job, runId } = record;
  const [verb, object] = kindOf(record).words;
  return html`
  <tr id="action-${id}" data-row tabindex="-1">
    <td class="time">${clockTime(at)} <small>${time(at, now)}</small></td>
    <td class="by">${who(record)}</td>
    <td class="what"><b>${verb}</b> ${
      runId === null ? object : runLink(runId, runName(runId, at) ?? object)
    }</td>
    ${shown.job === 'shown' && html`<td class="job">${job !== null && jobLink(job)}</td>`}
    <td class="change">${change(record)}</td>
  </tr>`;
}

interface Kind {
  /** What was done, and to what. */
  readonly words: readonly [verb: string, object: string];
  /** Done by the service, without anybody asking for it. */
  readonly own?: true;
  /** Whether its detail says more than what was before and after. */
  readonly telling?: true;
}

const KINDS: Readonly<Record<string, Kind>> = {
  pause: { words: ['paused', 'the job'] },
  resume: { words: ['resumed', 'the job'] },
  'run-now': { words: ['started', 'a run'], telling: true },
  rerun: { words: ['started', 'a run again'], telling: true },
  cancel: { words: ['cancelled', 'a run'] },
  free: { words: ['freed', 'the slot of a run'], telling: true },
  backfill: { words: ['started', 'a backfill'] },
  'end-backfill': { words: ['ended', 'a backfill'], telling: true },
  'add-token': { words: ['made', 'a token'], telling: true },
  'revoke-token': { words: ['revoked', 'a token'], telling: true },
  'reset-clock': { words: ['reset', 'the clock'] },
  rewind: { words: ['took back', 'what lay ahead, after the clock was reset'] },
  define: { words: ['put in force', 'a definition'], own: true },
  retire: { words: ['retired', 'the job'], own: true },
  lost: { words: ['gave up', 'a lost run'], own: true, telling: true },
  anomaly: { words: ['noted', 'an anomaly'], own: true, telling: true },
};

/** What a newer build did is told by its name. */
const kindOf = ({ action }: ActionRecord): Kind =>
  (Object.hasOwn(KINDS, action) ? KINDS[action] : undefined) ?? {
    words: [firstLine(action, NAME_SHOWN), ''],
    own: true,
    telling: true,
  };

const NAME_SHOWN = 60;
const NAME_LINKED = 100;
/** Notes may be long; a list shows where they begin. */
const TEXT_SHOWN = 240;

/** Whether a person did it: without accounts none has a name. */
export const isByPerson = (record: ActionRecord): boolean =>
  record.by !== null || kindOf(record).own !== true;

function who(record: ActionRecord): Html {
  const { by } = record;
  if (by !== null) {
    const name = firstLine(by, NAME_SHOWN);
    if (by.length > NAME_LINKED) return html`${name}`;
    return html`<a href="${actionsUrl({ job: '', by })}">${name}</a>`;
  }
  const words = isByPerson(record) ? 'somebody on this machine' : 'the service';
  return html`<span class="none">${words}</span>`;
}

/** What stood before and what stands since, and what there is to say besides. */
function change(record: ActionRecord): Printable {
  const { before = null, after = null, detail } = record;
  const known = before !== null || after !== null;
  const besides = (!known || kindOf(record).telling === true) && detail !== '';
  return [
    before !== null && html`<span class="none">${short(before)} →</span> `,
    after !== null && html`<span>${short(after)}</span> `,
    besides && html`<small>${short(detail)}</small>`,
  ];
}

/** Instants as everywhere else. */
const short = (text: string): string =>
  firstLine(text, TEXT_SHOWN).replaceAll(
    /(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g,
    '$1 $2 UTC',
  );
