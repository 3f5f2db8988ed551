import type { Cost } from '../server/core/cost.ts';
import type { Attempt, LateResult, Run, RunError } from '../server/core/records.ts';
import type { LogView } from '../server/core/summary.ts';
import type { Instant } from '../server/core/time.ts';
import { html, pathPart, type Html, type Printable } from './html.ts';
import { jsonBlock } from './json.ts';
import { action, page, poller, type AssetPaths } from './layout.ts';
import { logSection } from './log.ts';
import { latenessOf, rangeWords, runDuration, runLink } from './runs.ts';
import { isLive, mark, stateWord, toneOf } from './state.ts';
import { count, duration, exactTime, time } from './time.ts';

export interface RunView {
  readonly run: Run;
  readonly log: LogView;
  readonly now: Instant;
  readonly refreshSeconds: number;
}

export const runPage = (view: RunView, assets: AssetPaths): Html =>
  page({
    title: `${view.run.job}: ${stateWord(view.run.state)}`,
    assets,
    body: html`<div id="run">${runFragment(view)}</div>`,
  });

/** All of a run. While it may change, it asks for itself again; a final run has no poller. */
export const runFragment = ({ run, log, now, refreshSeconds }: RunView): Html => html`
  ${isLive(run.state) && runPoller(run, refreshSeconds)}
  <div class="head">
    <h1><a href="/">Jobs</a> / <span class="name">${run.job}</span></h1>
    ${isLive(run.state) && cancelButton(run)}
  </div>
  ${banner(run, now)}
  ${progressBar(run, log)}
  ${facts(run, now)}
  ${attemptsTable(run, now)}
  ${notes(run)}
  ${logSection(log)}
  ${jsonBlock('Input', run.input)}
  ${jsonBlock('Output', run.output)}
  ${run.lateResult !== null && lateResult(run.lateResult)}`;

const runPoller = ({ id }: Run, seconds: number): Html =>
  poller({ url: `/fragments/runs/${pathPart(id)}`, target: '#run', seconds });

const cancelButton = ({ id, job }: Run): Html =>
  action({
    url: `/runs/${pathPart(id)}/cancel`,
    label: 'Cancel',
    about: `this run of ${job}`,
    confirm: 'Cancel this run?',
  });

/** What happened, in one look: the error before anything else, with its stack where it is a bug. */
function banner(run: Run, now: Instant): Html {
  const { state, reason, error, range } = run;
  const took = runDuration(run, now);
  return html`<section class="banner ${toneOf(state)}">
    ${error !== null && errorText(toneOf(state) === 'bad' ? error : { ...error, stack: null })}
    ${range !== null && html`<p>${rangeWords(range, run)}</p>`}
    <p class="state">${mark(state)}<b>${stateWord(state)}</b>${
      reason !== null && html` <span>${reason}</span>`
    }${took !== null && html` <span>${took}</span>`}</p>
  </section>`;
}

function errorText({ name, message, stack }: RunError): Html {
  const head = `${name}: ${message}`;
  // Most stacks begin with what stands above them already.
  const calls = stack?.startsWith(head) ? stack.slice(head.length).replace(/^\n/, '') : stack;
  return html`<p class="error"><b>${name}</b>: ${message}</p>
    ${calls && html`<pre tabindex="0">${calls}</pre>`}`;
}

function progressBar(run: Run, log: LogView): Printable {
  const progress = log.progress ?? run.progress;
  if (progress === null) return null;
  const { done, total } = progress;
  if (total === null) return html`<p class="progress">${done} done</p>`;
  return html`<p class="progress"><progress value="${done}" max="${total}"></progress>
    ${done} of ${total}</p>`;
}

type Fact = readonly [label: string, value: Printable];

function facts(run: Run, now: Instant): Html {
  const known = allFacts(run, now).filter(([, value]) => value !== null);
  return html`<dl class="facts">${known.map(
    ([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

/** In the order of asking: what, when, how long, by whom, and the rest. */
function allFacts(run: Run, now: Instant): Fact[] {
  const { cause, attempts, range } = run;
  const fence = attempts.at(-1)?.fence ?? null;
  return [
    ['Trigger', run.trigger],
    ['Scheduled', range !== null ? null : moment(run.scheduledAt, now)],
    ['Started', moment(run.startedAt, now)],
    ['Lateness', latenessOf(run)],
    ['Ended', moment(run.endedAt, now)],
    ['Duration', runDuration(run, now)],
    ['Attempts', attempts.length === 0 ? null : attempts.length],
    ['Fencing token', fence],
    ['Requested by', run.requestedBy],
    ['Cause', cause === null ? null : runLink(cause, cause)],
    ['Backfill', run.backfillOf],
    // The second part of a W3C traceparent.
    ['Trace id', mono(run.traceparent?.split('-')[1])],
    ['Run id', mono(run.id)],
    ['Build', mono(run.build)],
    ['Billed', run.cost && costWords(run.cost)],
  ];
}

const costWords = ({ reads, writes, deletes }: Cost): string =>
  [
    count(reads, 'read'),
    count(writes, 'write'),
    ...(deletes > 0 ? [count(deletes, 'delete')] : []),
  ].join(', ');

const mono = (text: string | undefined): Html | null =>
  text === undefined ? null : html`<code>${text}</code>`;

const moment = (at: Instant | null, now: Instant): Html | null =>
  at === null ? null : html`${exactTime(at)} <small>${time(at, now)}</small>`;

function attemptsTable({ attempts }: Run, now: Instant): Printable {
  if (attempts.length === 0) return null;
  return html`<section>
    <h2>Attempts</h2>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th>No.</th><th>Outcome</th><th>Started</th><th>Duration</th><th>Owner</th>
        <th>Error</th></tr></thead>
      <tbody>${attempts.map((attempt) => attemptRow(attempt, now))}</tbody>
    </table></div>
  </section>`;
}

const attemptRow = (attempt: Attempt, now: Instant): Html => html`
  <tr>
    <td>${attempt.n}</td>
    <td>${attempt.outcome?.replaceAll('_', ' ') ?? 'running'}</td>
    <td>${exactTime(attempt.startedAt)}</td>
    <td>${duration(Math.max(0, (attempt.endedAt ?? now) - attempt.startedAt))}</td>
    <td><code>${attempt.owner}</code></td>
    <td>${attempt.error !== null && `${attempt.error.name}: ${attempt.error.message}`}</td>
  </tr>`;

function notes(run: Run): Printable {
  if (run.notes.length === 0) return null;
  return html`<section>
    <h2>Notes</h2>
    <ul class="notes">${run.notes.map(
      ({ at, text }) => html`<li>${exactTime(at)} ${text}</li>`,
    )}</ul>
  </section>`;
}

/** Shown apart: the run stays what it was decided to be. */
const lateResult = ({ at, outcome, error, output, notes: said }: LateResult): Html => html`<section>
    <h2>Late result</h2>
    <p>After this run was decided, at ${exactTime(at)}, an attempt still reported
      <b>${outcome.replaceAll('_', ' ')}</b>. It changed nothing.</p>
    ${said.map((text) => html`<p>${text}</p>`)}
    ${error !== null && errorText(error)}
    ${jsonBlock('Late output', output)}
  </section>`;
