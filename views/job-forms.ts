import type { InputForm } from '../server/core/input-form.ts';
import type { Texts } from '../server/core/input-texts.ts';
import type { Pause } from '../server/core/records.ts';
import type { RunState } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { brief } from './fit.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { area, inputFields, stepOf, tied, wrongWords, type FieldProblems } from './input-fields.ts';
import { action, posting } from './layout.ts';
import { stateWord } from './state.ts';
import { time } from './time.ts';
import { jobUrl } from './urls.ts';
import { runLink } from './why.ts';

/** What a person can do with a job, as forms that fold out of its head. */

/** A run to be started, as its form stands. */
export interface RunForm {
  readonly form: InputForm;
  /** Whether the job says what it takes; else it takes anything, or nothing. */
  readonly declared: boolean;
  /** A field each, or all of it as JSON. */
  readonly as: 'fields' | 'json';
  readonly texts: Texts;
  readonly json: string;
  readonly problems: FieldProblems;
  /** What is wrong with all of it. */
  readonly wrong: readonly string[];
  /** One form is one run, however often it is sent. */
  readonly key: string;
  /** The run that it was filled in from, and whether that is still on record. */
  readonly from: {
    readonly id: string;
    readonly found: boolean;
    readonly secretsLeftOut?: boolean;
  } | null;
  /** Earlier runs with inputs of their own. */
  readonly earlier: readonly EarlierInput[];
  /** Asked for where runs are unfinished: it starts beside them. */
  readonly beside: boolean;
  readonly open: boolean;
}

export interface EarlierInput {
  readonly id: string;
  readonly state: RunState;
  readonly at: Instant;
  readonly input: string;
}

export interface PauseForm {
  readonly note: string;
  /** One of the ends below, or `until` for the instant that was typed. */
  readonly lasts: string;
  readonly until: string;
  readonly problems: FieldProblems;
  readonly open: boolean;
}

/** How long a pause may be asked to last. */
export const PAUSE_ENDS = [
  ['', 'until resumed'],
  ['1h', '1 hour'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '1 week'],
  ['until', 'until, in UTC:'],
] as const;

/** Runs at a click, where there is nothing to be asked. */
export const runAtOnce = (name: string, key: string): Html =>
  html`<form ${posting(jobUrl(name, '/runs'))}>
    ${keyField(key)}
    <button class="main" aria-label="Run now: ${name}">Run now</button>
  </form>`;

/** Left out of what tells two pages apart (show.ts), since it is another one each time. */
export const keyField = (key: string): Html =>
  html`<input type="hidden" data-fresh name="key" value="${key}">`;

/** The form of a run, folded away until it is wanted. What is filled in survives a refresh. */
export function runPanel(name: string, run: RunForm, now: Instant): Html {
  const main = run.declared;
  return html`<details id="run-now" class="fold" hx-morph-skip${folded(run)}>
    <summary class="${main && 'main'}">${main ? 'Run now' : 'Run with…'}</summary>
    <form class="sheet" ${posting(jobUrl(name, '/runs'))}>
      <h2>Run ${name} now</h2>
      ${run.from !== null && filledFrom(run.from)}
      ${run.wrong.map((words) => html`<p class="wrong">${words}</p>`)}
      ${keyField(run.key)}<input type="hidden" name="as" value="${run.as}">
      ${inputPart(run)}
      ${besideField(run.beside)}
      <p class="buttons"><button class="main" type="submit">Start the run</button>
        ${otherWay(name, run)}</p>
      ${earlier(name, run.earlier, now)}
    </form>
  </details>`;
}

/**
 * One at a time is unfolded. Not by its name where it comes open: while it stands beside the one
 * that it takes the place of, the browser would close it.
 */
const folded = ({ open }: { readonly open: boolean }): Html =>
  open ? html` open` : html` name="fold"`;

const inputPart = (run: RunForm): Html =>
  run.as === 'fields' && run.form.fields !== null ? asFields(run, run.form.fields) : asJson(run);

const asFields = (run: RunForm, fields: NonNullable<InputForm['fields']>): Html =>
  html`<div class="fields">${inputFields(fields, run)}</div>`;

function asJson({ json, declared, form, problems }: RunForm): Html {
  const wrong = [...problems].map(([field, words]) => `${field}: ${words.join('; ')}`);
  const hint = declared
    ? 'As the job’s schema has it; empty for none.'
    : 'Whatever the job’s handler takes; empty for none.';
  return html`<div class="fields"><div class="field wide">
      <label for="in-json">Input as JSON</label>
      ${area(json, html`id="in-json" name="json"${tied('in-json', wrong, true)}`)}
      <small id="in-json-hint">${hint}</small>${wrongWords('in-json', wrong)}
    </div></div>
    ${form.schema !== null && schema(form.schema)}`;
}

const schema = (text: string): Html =>
  html`<details class="schema"><summary>Its schema</summary>
    <pre tabindex="0">${text}</pre></details>`;

/** In sight only while the job is busy, which its page knows better than a form that stays. */
const besideField = (ticked: boolean): Html =>
  html`<p class="tick beside"><input type="checkbox" id="in-beside" name="overlap" value="allow"${
    ticked && html` checked`
  }> <label for="in-beside">Start it beside the run that is unfinished, whatever the job’s overlap
    setting says</label></p>`;

const filledFrom = ({ id, found, secretsLeftOut }: NonNullable<RunForm['from']>): Html =>
  found
    ? html`<p class="none">Filled in from ${runLink(id, 'an earlier run')}.${
        secretsLeftOut === true && ' Its secrets are not shown: fill them in again.'
      }</p>`
    : html`<p class="wrong">The run that it was to be filled in from is not on record, so this is
        what a new one has.</p>`;

/** To write JSON instead of filling in fields, and back. */
function otherWay(name: string, { form, as, from }: RunForm): Printable {
  if (form.fields === null) return null;
  const other = as === 'fields' ? 'json' : 'fields';
  const query = new URLSearchParams({ as: other, ...(from?.found && { from: from.id }) });
  const words = other === 'json' ? 'Write it as JSON' : 'Fill in fields';
  return html`<a href="${jobUrl(name, `?${query.toString()}`)}">${words}</a>`;
}

const INPUT_SHOWN = 70;

function earlier(name: string, runs: readonly EarlierInput[], now: Instant): Printable {
  if (runs.length === 0) return null;
  return html`<h3>Fill in from an earlier run</h3>
    <ul class="earlier">${runs.map(
      ({ id, state, at, input }) => html`<li>
        <a href="${jobUrl(name, `?from=${pathPart(id)}`)}"><code>${brief(
          input,
          INPUT_SHOWN,
        )}</code></a> <small>${stateWord(state)} ${time(at, now)}</small></li>`,
    )}</ul>`;
}

/** Another panel once it is paused: one that stays as it is would speak of what was. */
export const pauseId = (paused: Pause | null): string =>
  paused === null ? 'pause' : 'change-pause';

/** The form of a pause; of one that holds, to change its note and its end. */
export function pausePanel(name: string, paused: Pause | null, form: PauseForm): Html {
  const wrong = (field: string): readonly string[] => form.problems.get(field) ?? [];
  const until = wrong('until');
  return html`<details id="${pauseId(paused)}" class="fold" hx-morph-skip${folded(form)}>
    <summary>${paused === null ? 'Pause' : 'Change the pause'}</summary>
    <form class="sheet" ${posting(jobUrl(name, '/pause'))}>
      <h2>${paused === null ? `Pause ${name}` : `Change the pause of ${name}`}</h2>
      <p class="none">What falls due meanwhile is on record as skipped: paused. Runs that people
        start, and backfills, go on.</p>
      <div class="fields"><div class="field wide">
        <label for="pause-note">Why, for whoever sees it</label>
        <input id="pause-note" name="note" value="${form.note}" maxlength="500"
          autocomplete="off"${tied('pause-note', wrong('note'), false)}>
        ${wrongWords('pause-note', wrong('note'))}</div></div>
      <fieldset class="ends"><legend>How long</legend>${PAUSE_ENDS.map(
        ([value, words], i) => html`<span class="tick"><input type="radio" name="lasts"
          id="pause-${i}" value="${value}"${value === form.lasts && html` checked`}>
          <label for="pause-${i}">${words}</label></span>`,
      )}<input type="datetime-local" name="until" value="${form.until}"
        step="${stepOf(form.until)}" aria-label="The instant at which it ends, in UTC"
        id="pause-until"${tied('pause-until', until, false)}>
        ${wrongWords('pause-until', until)}</fieldset>
      <p class="buttons"><button class="main">${
        paused === null ? 'Pause it' : 'Change it'
      }</button></p>
    </form>
  </details>`;
}

export const resumeButton = (name: string): Html =>
  action({ url: jobUrl(name, '/resume'), label: 'Resume', about: name });
