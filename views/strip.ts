import type { RunState } from '../server/core/run.ts';
import { html, type Html, type Printable } from './html.ts';
import { unpackBars, type Bar } from './packed.ts';
import { stateWord, toneOf, type Tone } from './state.ts';
import { jobUrl } from './urls.ts';

/** The last outcomes are as many at most. */
const BARS = 60;
const HEIGHT = 24;

/**
 * The last outcomes as bars, the newest on the right: as tall as the run was long, beside the
 * others. What did not succeed differs in shape too: a bad one has a cap at the top, and what never
 * started is a dash in the air. Its script tells each one, and opens it (views/assets/strip.js);
 * without it the whole leads to the job's page.
 */
export function strip(job: string, packed: string): Html {
  const bars = unpackBars(packed).slice(-BARS);
  if (bars.length === 0) return html`<span class="none">no runs yet</span>`;
  return html`<a class="strip" href="${jobUrl(job)}" data-runs="${packed}"
aria-label="${tally(bars)}"><svg viewBox="-.5 0 ${BARS} ${HEIGHT}" preserveAspectRatio="none"
aria-hidden="true">${paths(bars)}</svg></a>`;
}

/**
 * One path for each tone: an element for each bar would be most of the page. Its heights go up from
 * the bottom, for the sheet turns the picture over.
 */
function paths(bars: readonly Bar[]): Printable {
  const longest = Math.max(1, ...bars.map(({ ms }) => ms ?? 0));
  const drawn = new Map<Tone, string>();
  for (const [i, bar] of bars.entries()) {
    const tone = toneOf(bar.state);
    const shape = shapeOf(tone, bar, { x: BARS - bars.length + i, longest });
    drawn.set(tone, (drawn.get(tone) ?? '') + shape);
  }
  return [...drawn].map(([tone, path]) => html`<path class="${tone}" d="${path}"/>`);
}

function shapeOf(
  tone: Tone,
  { ms }: Bar,
  { x, longest }: { readonly x: number; readonly longest: number },
): string {
  const bar = ms === null ? '' : `M${x} 0v${heightOf(ms, longest)}`;
  if (tone === 'bad') return `M${x} ${HEIGHT}v-5${bar}`;
  return bar === '' || tone === 'quiet' ? `M${x} 8v3` : bar;
}

const LOWEST = 3;
/** Below the cap of a bad one, with a gap between. */
const TALLEST = HEIGHT - 7;

/** Short runs stay visible: the square root keeps a thousandth of the longest from vanishing. */
const heightOf = (ms: number, longest: number): number =>
  LOWEST + Math.round((TALLEST - LOWEST) * Math.sqrt(ms / longest));

/** `last 30: 28 succeeded, 2 timed out`, for those who hear it. */
function tally(bars: readonly Bar[]): string {
  const counts = new Map<RunState, number>();
  for (const { state } of bars) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, n]) => `${n} ${stateWord(state)}`);
  return `last ${bars.length}: ${parts.join(', ')}`;
}
