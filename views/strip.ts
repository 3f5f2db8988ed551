import type { Outcome } from '../server/core/records.ts';
import type { RunState } from '../server/core/run.ts';
import { html, type Html } from './html.ts';
import { stateWord, toneOf } from './state.ts';
import { duration, utc } from './time.ts';

/** So many bars fit beside the rest at any width. */
const BARS = 30;
const STEP = 6;
const HEIGHT = 20;

/**
 * The newest outcomes as bars, newest on the right: as tall as the run was long, beside the others.
 * What did not succeed differs in shape too: a bad one is of full height with a gap in it,
 * one that did not start is a stub.
 */
export function strip(recent: readonly Outcome[]): Html {
  const shown = recent.slice(-BARS);
  if (shown.length === 0) return html`<span class="none">no runs yet</span>`;
  const longest = Math.max(1, ...shown.map(({ ms }) => ms ?? 0));
  const left = BARS - shown.length;
  return html`<svg class="strip" viewBox="0 0 ${BARS * STEP} ${HEIGHT}" role="img"
    aria-label="${tally(shown)}">${shown.map((outcome, i) =>
      bar(outcome, { x: (left + i) * STEP + 1, longest }),
    )}</svg>`;
}

function bar(outcome: Outcome, at: { readonly x: number; readonly longest: number }): Html {
  const { state, ms } = outcome;
  const tone = toneOf(state);
  const title = `${stateWord(state)}, ${utc(outcome.at)}${ms === null ? '' : `, ${duration(ms)}`}`;
  return html`<g class="${tone}"><title>${title}</title>${
    tone === 'bad' ? badBar(at.x) : plainBar(at.x, heightOf(outcome, at.longest))
  }</g>`;
}

const badBar = (x: number): Html =>
  html`<rect x="${x}" y="0" width="4" height="13"/><rect x="${x}" y="16" width="4" height="4"/>`;

const plainBar = (x: number, height: number): Html =>
  html`<rect x="${x}" y="${HEIGHT - height}" width="4" height="${height}"/>`;

/** Short runs stay visible: the square root keeps a thousandth of the longest from vanishing. */
function heightOf({ state, ms }: Outcome, longest: number): number {
  if (toneOf(state) === 'quiet' || ms === null) return 3;
  return 5 + Math.round(15 * Math.sqrt(Math.max(0, ms) / longest));
}

/** `last 30: 28 succeeded, 2 timed out`, for those who hear it. */
function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<RunState, number>();
  for (const { state } of outcomes) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, n]) => `${n} ${stateWord(state)}`);
  return `last ${outcomes.length}: ${parts.join(', ')}`;
}
