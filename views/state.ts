import type { RunState } from '../server/core/run.ts';
import type { JobState } from '../server/core/summary.ts';
import { html, type Html } from './html.ts';

/** States on the screen: always a shape and a word beside the colour, which not everybody sees. */

/** What a state means to whoever looks: `live` ones change yet, `bad` ones want somebody. */
export type Tone = 'live' | 'good' | 'bad' | 'quiet';

const RUN_TONES: Readonly<Record<RunState, Tone>> = {
  queued: 'live',
  running: 'live',
  retry_wait: 'live',
  succeeded: 'good',
  failed: 'bad',
  timed_out: 'bad',
  lost: 'bad',
  missed: 'bad',
  cancelled: 'quiet',
  skipped: 'quiet',
};

const JOB_TONES: Readonly<Record<JobState, Tone>> = {
  idle: 'quiet',
  running: 'live',
  waiting: 'live',
  paused: 'quiet',
  retired: 'quiet',
  broken: 'bad',
};

/** Lines on a 12 × 12 grid. */
const SHAPES: Readonly<Record<RunState | JobState, string>> = {
  queued: 'M6 1.5a4.5 4.5 0 1 0 .01 0z',
  running: 'M3.5 2v8l6-4z',
  retry_wait: 'M9.8 4.2A4.3 4.3 0 1 0 10.3 7M10.2 1.6v2.9H7.3',
  waiting: 'M6 1.5a4.5 4.5 0 1 0 .01 0zM6 3.8V6.2l1.6 1.2',
  succeeded: 'M2 6.5 4.8 9.3 10 3',
  failed: 'M2.5 2.5l7 7M9.5 2.5l-7 7',
  timed_out: 'M3 1.5h6L3 10.5h6z',
  lost: 'M4 4a2 2 0 1 1 2.6 1.9Q6 6.2 6 7.3M6 9.8v.2',
  missed: 'M6 1.8 10.8 10H1.2zM6 5v2.2M6 8.5v.1',
  cancelled: 'M6 1.5a4.5 4.5 0 1 0 .01 0zM2.9 9.1l6.2-6.2',
  skipped: 'M2 2.5 5.5 6 2 9.5M6.5 2.5 10 6 6.5 9.5',
  idle: 'M3 6h6',
  paused: 'M4 2.5v7M8 2.5v7',
  retired: 'M2 3.5h8M3 3.5V10h6V3.5M5 6h2',
  broken: 'M6 2v4.8M6 9.4v.2',
};

export const toneOf = (state: RunState): Tone => RUN_TONES[state];

/** True while the run may still change, so that a page goes on asking. */
export const isLive = (state: RunState): boolean => RUN_TONES[state] === 'live';

/** The glossary's word for a state. */
export const stateWord = (state: RunState | JobState): string => state.replaceAll('_', ' ');

export const runBadge = (state: RunState): Html => badge(state, RUN_TONES[state]);

export const jobBadge = (state: JobState): Html => badge(state, JOB_TONES[state]);

const badge = (state: RunState | JobState, tone: Tone): Html =>
  html`<span class="badge ${tone}">${mark(state)}${stateWord(state)}</span>`;

/** The shape alone, for where the word stands beside it anyway. */
export const mark = (state: RunState | JobState): Html =>
  html`<svg class="mark" viewBox="0 0 12 12" aria-hidden="true"><path d="${SHAPES[state]}"/></svg>`;
