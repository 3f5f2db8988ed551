import type { Range, Run, RunError } from '../server/core/records.ts';
import { isFinal } from '../server/core/run.ts';
import { fit, fitted } from './fit.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { action, posting } from './layout.ts';
import { runDuration } from './runs.ts';
import { progressPart } from './run-progress.ts';
import { isOverdue, leaseOf, type RunView } from './run-view.ts';
import { whatItMeans } from './run-words.ts';
import { isLive, mark, stateWord, toneOf } from './state.ts';
import { count, exactTime, time } from './time.ts';
import { jobUrl, runUrl } from './urls.ts';

/** What happened, in one look: the error before anything else, what it means, and what to do. */
export function banner(view: RunView): Html {
  const { run } = view;
  const { state, error, range } = run;
  const tone = isOverdue(view) ? 'bad' : toneOf(state);
  const meaning = whatItMeans(view).filter((said) => said !== false && said !== null);
  return html`<section id="banner" class="banner ${tone}" aria-label="What happened">
    ${error !== null && errorText(error)}
    ${range !== null && html`<p class="error">${rangeText(range)}</p>`}
    <p class="state">${mark(state)}<b>${stateWord(state)}</b>
      <span>${whenAndHowLong(view)}</span></p>
    ${progressPart(view)}
    ${meaning.length > 0 && html`<p class="meaning">${meaning.map((said) => html`${said} `)}</p>`}
    ${actions(view)}
    ${tone === 'bad' && error !== null && stackText(error)}
  </section>`;
}

/** In bytes of the page: so much of an error is shown before it is cut. */
const MESSAGE_SHOWN = 5000;
const NAME_SHOWN = 300;
const STACK_SHOWN = 8000;

const errorText = ({ name, message }: RunError): Html =>
  html`<p class="error"><b>${fitted(name, NAME_SHOWN)}</b>: ${fitted(message, MESSAGE_SHOWN)}</p>`;

function stackText({ name, message, stack }: RunError): Printable {
  const head = `${name}: ${message}`;
  // Most stacks begin with what stands above them already.
  const calls = stack?.startsWith(head) ? stack.slice(head.length).replace(/^\n/, '') : stack;
  if (!calls) return null;
  const { text, whole } = fit(calls, STACK_SHOWN);
  return html`<pre class="stack" tabindex="0" role="region"
      aria-label="Stack">${text}${!whole && '…'}</pre>`;
}

function rangeText({ from, to, count: many, atLeast }: Range): Html {
  const number = `${atLeast ? 'At least ' : ''}${count(many, 'occurrence')}`;
  return from === to
    ? html`The occurrence of ${exactTime(from)} did not run`
    : html`${number} did not run, from ${exactTime(from)} to ${exactTime(to)}`;
}

function whenAndHowLong({ run, now }: RunView): Printable {
  const took = runDuration(run, now);
  if (run.state === 'queued') return html`asked for ${time(run.createdAt, now)}`;
  if (!isFinal(run.state)) return took;
  const at = time(run.endedAt ?? run.at, now);
  return took === null ? at : html`after ${took}, ${at}`;
}

function actions(view: RunView): Printable {
  const { run, known } = view;
  if (isLive(run.state)) {
    if (isOverdue(view)) return html`<div class="do">${freeButton(run)}</div>`;
    const asked = (leaseOf(view)?.cancel ?? null) !== null;
    return !asked && html`<div class="do">${cancelButton(run)}</div>`;
  }
  if (run.range !== null || !known) return null;
  const changed = jobUrl(run.job, `?from=${pathPart(run.id)}`);
  return html`<div class="do">${rerunForm(view)}
    <a class="to-change" href="${changed}">Run again with changes</a></div>`;
}

const cancelButton = ({ id, job }: Run): Html =>
  action({
    url: runUrl(id, '/cancel'),
    label: 'Cancel',
    about: `this run of ${job}`,
    confirm: 'Cancel this run?',
  });

const freeButton = ({ id, job }: Run): Html =>
  action({
    url: runUrl(id, '/free'),
    label: 'Free the slot',
    about: `of this run of ${job}`,
    confirm: `The handler of this run has not stopped, and may still be working. If you free its
      slot, the next run of ${job} may overlap it. Free the slot?`.replaceAll(/\s+/g, ' '),
  });

/** What should be thought about once more. */
const SURE: Readonly<Partial<Record<Run['state'], string>>> = {
  lost: 'This run may have done a part of its work. Run it again from the start?',
  succeeded: 'This run succeeded. Run it again all the same?',
};

/**
 * The key makes two clicks one run. It changes with the job's record, so that whoever looks again
 * can ask again.
 */
function rerunForm({ run, record }: RunView): Html {
  const url = runUrl(run.id, '/reruns');
  const sure = SURE[run.state];
  return html`<form ${posting(url)}
      ${sure !== undefined && html`hx-confirm="${sure}"`}>
      <input type="hidden" name="key" value="rerun ${run.id} ${record?.rev ?? 0}">
      <button class="main" aria-label="Run again: ${run.job}, same input">Run again</button>
    </form>`;
}
