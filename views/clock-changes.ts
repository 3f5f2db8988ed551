import type { ClockChange, Effect } from '../server/core/explain.ts';
import { html, type Html } from './html.ts';
import { duration, longDate, wallTime } from './time.ts';

/** What clock changes do to a schedule, as sentences. */

/** What disturbs the schedule first; what does not, in fewer words. */
export const changeList = (changes: readonly ClockChange[]): Html =>
  html`<ul class="changes">${changes.map((change) => {
    const calm = harmless(change);
    if (calm !== undefined) return html`<li>${changeWords(change)}; ${calm}</li>`;
    return warnings([change]).map((warning) => html`<li class="warning">${warning}</li>`);
  })}</ul>`;

/** One line for each rule that a change disturbs; a schedule that goes on evenly has none. */
export const warnings = (changes: readonly ClockChange[]): string[] =>
  changes.flatMap((change) =>
    change.effects
      .filter(({ kind }) => kind !== 'steady')
      .map((effect) => `${dateOf(change)}: ${effectWords(effect, change)}`),
  );

/** A change in words: `8 March 2026: clocks go forward 1 h, from 02:00 to 03:00`. */
export function changeWords(change: ClockChange): string {
  const { from, to } = change;
  const way = to > from ? 'forward' : 'back';
  const by = duration(Math.abs(to - from));
  // Across the date line the time of day may stay as it is.
  const [old, now] =
    wallTime(from) === wallTime(to)
      ? [when(from, to), when(to, from)]
      : [wallTime(from), wallTime(to)];
  return `${dateOf(change)}: clocks go ${way} ${by}, from ${old} to ${now}`;
}

/** What a change does, where it does no harm: nothing, or nothing to the pace. */
export const harmless = ({ effects }: ClockChange): string | undefined => {
  if (effects.some(({ kind }) => kind !== 'steady')) return undefined;
  return effects.length === 0 ? 'nothing is scheduled then' : 'runs keep their pace';
};

const dateOf = ({ from, to }: ClockChange): string => longDate(Math.min(from, to));

function effectWords({ kind, times, together }: Effect, { from, to }: ClockChange): string {
  const one = times.length === 1;
  const named = timesWords(times);
  const missing = `${named} ${one ? 'does' : 'do'} not exist`;
  const twice = `${named} ${one ? 'comes' : 'come'} twice`;
  switch (kind) {
    case 'moved':
      return `${missing}, runs ${when(to, from)}${once(one, together)}`;
    case 'left-out':
      return `${missing}, ${one ? 'does not run' : `${times.length} runs fall out`}`;
    case 'once':
      return `${twice}, runs the first time only`;
    case 'twice':
      return `${twice}, runs both times${one ? '' : `, so ${2 * times.length} times`}`;
    case 'steady':
      return 'runs keep their pace';
  }
}

/** A gap may end on the next day: at midnight, or across the date line. */
const when = (wall: number, from: number): string =>
  longDate(wall) === longDate(from) ? wallTime(wall) : `${longDate(wall)} ${wallTime(wall)}`;

const once = (one: boolean, together: boolean): string => {
  if (together) return ', as one with the run that is due then';
  return one ? '' : ', once for all of them';
};

/** `02:30`, `02:15 and 02:45`, `02:00 to 02:55`. */
function timesWords(times: readonly number[]): string {
  const exact = times.some((time) => time % 60_000 !== 0);
  const [first = 0] = times;
  const last = times.at(-1) ?? first;
  if (first === last) return wallTime(first, exact);
  return `${wallTime(first, exact)} ${times.length === 2 ? 'and' : 'to'} ${wallTime(last, exact)}`;
}
