import type { BackfillPlan } from '../server/core/backfill-plan.ts';
import type { Backfill, Range } from '../server/core/records.ts';
import type { RunState } from '../server/core/run.ts';
import { shownAt } from '../server/core/schedule.ts';
import type { Instant } from '../server/core/time.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { stepOf, tied, wrongWords, type FieldProblems } from './input-fields.ts';
import { action } from './layout.ts';
import { jobLink } from './runs.ts';
import { isLive, runBadge } from './state.ts';
import { count, exactTime, since, timeAs, utc, wallDayTime } from './time.ts';
import { jobUrl } from './urls.ts';
import { runLink } from './why.ts';

/** A backfill as somebody is choosing it. */
export interface BackfillView {
  readonly name: string;
  readonly timeZone: string;
  readonly now: Instant;
  readonly from: string;
  readonly to: string;
  readonly problems: FieldProblems;
  /** Null until there is a range. */
  readonly planned: PlannedBackfill | null;
  /** Stretches that were missed last, while none is chosen. */
  readonly suggested: readonly SuggestedBackfill[];
  /** One that is under way already. */
  readonly running: RunningBackfill | null;
  /** Why it can't be started at all; null where it can. */
  readonly refused: string | null;
}

export interface SuggestedBackfill extends Range {
  /** As the fields have them. */
  readonly fromText: string;
  readonly toText: string;
}

export interface PlannedBackfill extends BackfillPlan {
  /** One form is one backfill, however often it is sent. */
  readonly key: string;
  /** What history has of each that is listed. */
  readonly known: ReadonlyMap<Instant, { readonly id: string; readonly state: RunState }>;
  /** From where on nothing known means that there is nothing. */
  readonly knownFrom: Instant;
}

export interface RunningBackfill {
  readonly backfill: Backfill;
  /** How many occurrences it has in all, and how many have no run yet. */
  readonly all: Pick<BackfillPlan, 'count' | 'atLeast'>;
  readonly left: Pick<BackfillPlan, 'count' | 'atLeast'>;
}

const url = (name: string): string => jobUrl(name, '/backfill');

/** Chooses a range of the past, and shows what would be opened before anything is. */
export const backfillBody = (view: BackfillView): Html => html`
  <div class="head"><h1><a href="/">Jobs</a> /
    ${jobLink(view.name)} / Backfill</h1></div>
  <p class="lead">Opens a run for each occurrence of a stretch of the past, one after another, as
    the job gets free. Each is a run of its own, marked as a backfill; what history already has
    stays as it is.</p>
  ${view.running !== null && runningNotice(view.name, view.running, view.now)}
  ${view.refused !== null && html`<p class="notice">${view.refused}</p>`}
  ${view.running === null && view.refused === null && rangeForm(view)}
  ${view.suggested.length > 0 && suggestions(view)}
  ${view.planned !== null && preview(view, view.planned)}`;

const rangeForm = ({ name, from, to, problems }: BackfillView): Html =>
  html`<form class="range" method="get" action="${url(name)}">
    ${instantField('from', 'From', from, problems.get('from') ?? [])}
    ${instantField('to', 'To', to, problems.get('to') ?? [])}
    <button>Show what it opens</button>
  </form>`;

const instantField = (name: string, label: string, text: string, wrong: readonly string[]): Html =>
  html`<div class="field"><label for="${name}">${label}, in UTC</label>
    <input type="datetime-local" id="${name}" name="${name}" value="${text}"
      step="${stepOf(text)}" required${tied(name, wrong, false)}>
    ${wrongWords(name, wrong)}</div>`;

const suggestions = ({ name, suggested }: BackfillView): Html => html`<section>
    <h2>Missed last</h2>
    <ul class="earlier">${suggested.map(({ from, to, count: many, atLeast, fromText, toText }) => {
      const query = new URLSearchParams({ from: fromText, to: toText }).toString();
      return html`<li><a href="${url(name)}?${query}">${atLeast && 'at least '}${count(
        many,
        'occurrence',
      )}</a> <span>${exactTime(from)}${to !== from && html` to ${exactTime(to)}`}</span></li>`;
    })}</ul>
  </section>`;

function preview(view: BackfillView, planned: PlannedBackfill): Html {
  const { name, timeZone } = view;
  const { first, count: many, atLeast } = planned;
  if (many === 0) {
    return html`<p class="empty">No occurrence lies in this range, by the schedule that was in force
      then.</p>`;
  }
  const number = `${atLeast ? 'more than ' : ''}${count(many, 'run')}`;
  return html`<section id="preview">
    <h2>It opens ${number}</h2>
    ${againWords(planned)}
    ${confirmForm(view, planned, number)}
    <div class="scroll plain" tabindex="0" role="group" aria-label="Occurrences"><table>
      <thead><tr><th scope="col">${timeZone}</th>
        ${timeZone !== 'UTC' && html`<th scope="col">UTC</th>`}
        <th scope="col">On record</th></tr></thead>
      <tbody>${first.map(
        (at) => html`<tr>
        <td>${timeAs(at, wallDayTime(shownAt(timeZone, at)))}</td>
        ${timeZone !== 'UTC' && html`<td>${exactTime(at)}</td>`}
        <td>${onRecord(planned, at)}</td></tr>`,
      )}</tbody>
    </table></div>
    ${
      many > first.length &&
      html`<p class="none">And ${atLeast && 'at least '}${count(
        many - first.length,
        'more',
      ).replace(/s$/, '')}.</p>`
    }
    <p class="pager"><a href="${jobUrl(name)}">Back to ${name}</a></p>
  </section>`;
}

/** What is done already, and would be done again. */
function againWords({ first, known }: PlannedBackfill): Printable {
  const states = first.flatMap((at) => known.get(at)?.state ?? []);
  const done = states.filter((state) => state === 'succeeded').length;
  const live = states.filter(isLive).length;
  const words = [
    ...(done > 0
      ? [`${done} of those listed ${done === 1 ? 'has' : 'have'} succeeded already`]
      : []),
    ...(live > 0 ? [`${live} ${live === 1 ? 'is' : 'are'} unfinished`] : []),
  ];
  return words.length > 0 && html`<p>${words.join(' and ')}: they run again all the same.</p>`;
}

/** Goes to the job's page, where its progress can be seen. */
const confirmForm = (
  { name, from, to }: BackfillView,
  { key }: PlannedBackfill,
  number: string,
): Html => html`<form method="post" action="${url(name)}">
    <input type="hidden" name="key" value="${key}">
    <input type="hidden" name="from" value="${from}">
    <input type="hidden" name="to" value="${to}">
    <button class="main">Start ${number}</button>
  </form>`;

function onRecord({ known, knownFrom }: PlannedBackfill, at: Instant): Printable {
  const one = known.get(at);
  if (one !== undefined) return runLink(one.id, runBadge(one.state));
  return html`<span class="none">${at < knownFrom ? 'not looked up' : 'nothing'}</span>`;
}

/** How far a backfill has come; for the page of its job as well. */
export function runningNotice(
  name: string,
  { backfill, all, left }: RunningBackfill,
  now: Instant,
): Html {
  const { from, to, since: at, by } = backfill;
  const done = all.count - left.count;
  return html`<div class="notice backfill" id="backfill-running">
    <p><b>A backfill is under way</b>${by !== null && html` by <span>${by}</span>`}: ${
      all.atLeast
        ? html`${left.atLeast && 'more than '}${count(left.count, 'run')} left to open`
        : html`${done} of ${count(all.count, 'run')} opened, ${left.count} left`
    }.</p>
    ${
      !all.atLeast &&
      html`<progress value="${done}" max="${all.count}"
      aria-label="Runs opened"></progress>`
    }
    <p class="none">${exactTime(from + 1 - ((from + 1) % 1000))} to ${utc(to - (to % 1000))};
      its last step was ${since(at, now)} ago.</p>
    ${endButton(name, backfill.id)}
  </div>`;
}

const endButton = (name: string, id: string): Html =>
  action({
    url: jobUrl(name, `/backfills/${pathPart(id)}/end`),
    label: 'End the backfill',
    about: name,
    confirm: 'Open no more of its runs? One that is under way goes on.',
  });
