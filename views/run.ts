import type { LateResult, Run } from '../server/core/records.ts';
import { fitted } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { jsonBlock } from './json.ts';
import { logKept, logSection } from './log.ts';
import { aroundRun } from './run-around.ts';
import { banner } from './run-banner.ts';
import { facts } from './run-facts.ts';
import { leaseOf, retryOf, type RunView } from './run-view.ts';
import { jobLink } from './runs.ts';
import { exactTime } from './time.ts';
import { runUrl } from './urls.ts';
import { attemptsTable } from './waterfall.ts';

export type { RunView } from './run-view.ts';

/** All of a run: what happened first, then how, then all that is known. */
export const runBody = (view: RunView): Html => html`
  <div class="head">
    <h1><a href="/runs">Runs</a> / <span class="name">${jobLink(view.run.job)}</span>
      <small>${occasion(view.run)}</small></h1>
    ${aroundRun(view)}
  </div>
  ${banner(view)}
  ${view.run.range === null ? columns(view) : html`<div class="run-facts">${facts(view)}</div>`}`;

const columns = (view: RunView): Html => html`<div class="run-columns">
    <div>
      ${attemptsTable({ ...view, lease: leaseOf(view), retry: retryOf(view) })}
      ${view.log === null ? logKept : logSection(view.log)}
      ${data(view.run, 'output')}
      ${data(view.run, 'input')}
      ${notes(view.run)}
      ${view.run.lateResult !== null && lateResult(view.run.lateResult)}
    </div>
    ${facts(view)}
  </div>`;

function occasion({ range, scheduledAt, trigger, createdAt }: Run): Printable {
  if (range !== null) return null;
  if (trigger === 'schedule' && scheduledAt !== null) return exactTime(scheduledAt);
  if (trigger === 'backfill' && scheduledAt !== null) {
    return html`backfill of ${exactTime(scheduledAt)}`;
  }
  return html`by hand, ${exactTime(createdAt - (createdAt % 1000))}`;
}

/** In bytes of the page. What is longer can be had whole. */
const DATA_SHOWN = { input: 7000, output: 10_000 } as const;

function data(run: Run, name: 'input' | 'output'): Html | null {
  const title = name === 'input' ? 'Input' : 'Output';
  const download = runUrl(run.id, `/${name}.json`);
  return jsonBlock(title, run[name], { bytes: DATA_SHOWN[name], download });
}

const NOTES_SHOWN = 12;
const NOTE_SHOWN = 300;

function notes(run: Run): Printable {
  if (run.notes.length === 0) return null;
  const shown = run.notes.slice(-NOTES_SHOWN);
  const left = run.notes.length - shown.length;
  return html`<section id="notes">
    <h2>Notes</h2>
    ${left > 0 && html`<p class="none">${left} older ones are left out here.</p>`}
    <ul class="notes">${shown.map(
      ({ at, text }) => html`<li>${exactTime(at)} ${fitted(text, NOTE_SHOWN)}</li>`,
    )}</ul>
  </section>`;
}

const LATE_SHOWN = { error: 1000, output: 2000 } as const;

/** Shown apart: the run stays what it was decided to be. */
const lateResult = ({ at, outcome, error, output, notes: said = [] }: LateResult): Html => html`
  <section id="late">
    <h2>Late result</h2>
    <p>After this run was decided, at ${exactTime(at)}, an attempt still reported
      <b>${outcome.replaceAll('_', ' ')}</b>. It changed nothing.</p>
    ${said.slice(0, NOTES_SHOWN).map((text) => html`<p>${fitted(text, NOTE_SHOWN)}</p>`)}
    ${
      error !== null &&
      html`<p class="why"><b>${fitted(error.name, NOTE_SHOWN)}</b>: ${fitted(
        error.message,
        LATE_SHOWN.error,
      )}</p>`
    }
    ${jsonBlock('Late output', output, { bytes: LATE_SHOWN.output, download: null })}
  </section>`;
