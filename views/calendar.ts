import type { DayTally } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { mark } from './state.ts';
import { dayMonth, weekdayDate } from './time.ts';

const DAY = 86_400_000;
const WEEKS = 6;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/**
 * What six weeks came to, a row a week and a cell a day, in UTC. Each day leads to its history, at
 * the address that `href` gives for it.
 */
export function calendar(
  days: readonly DayTally[],
  { now, href }: { readonly now: Instant; readonly href: (midnight: Instant) => string },
): Html {
  const today = Math.floor(now / DAY);
  const monday = firstDay(now);
  const tallies = new Map(days.map((one) => [one.day, one]));
  const weeks = Array.from({ length: WEEKS }, (_, week) => monday + 7 * week);
  return html`<table class="days">
    <caption class="unseen">Outcomes by day, in UTC</caption>
    <thead><tr>${WEEKDAYS.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${weeks.map(
      (first) =>
        html`<tr>${WEEKDAYS.map((_, i) => {
          const day = first + i;
          return cell(day, { today, tally: tallies.get(day), href: href(day * DAY) });
        })}</tr>`,
    )}</tbody>
  </table>`;
}

/** The day that six weeks begin with, counted from 1970-01-01: a Monday. */
export function firstDay(now: Instant): number {
  const today = Math.floor(now / DAY);
  // The epoch was on a Thursday.
  return today - ((today + 3) % 7) - 7 * (WEEKS - 1);
}

function cell(
  day: number,
  given: {
    readonly today: number;
    readonly tally: DayTally | undefined;
    readonly href: string;
  },
): Html {
  const { today, tally, href } = given;
  const date = new Date(day * DAY).getUTCDate();
  const shown = date === 1 ? dayMonth(day * DAY) : date;
  if (day > today) return html`<td class="ahead">${shown}</td>`;
  const name = `${weekdayDate(day * DAY)}: ${tallyWords(tally)}`;
  return html`<td class="${tone(tally)}${day === today && ' today'}">
    <a href="${href}" title="${name}"><b aria-hidden="true">${shown}</b>${came(tally)}</a></td>`;
}

/** `288 succeeded, 2 went wrong, 1 skipped`; cancelled ones are told with those. */
export function tallyWords(tally: DayTally | undefined): string {
  const { good = 0, bad = 0, quiet = 0 } = tally ?? {};
  const parts = [
    ...(good > 0 ? [`${good} succeeded`] : []),
    ...(bad > 0 ? [`${bad} went wrong`] : []),
    ...(quiet > 0 ? [`${quiet} skipped`] : []),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

/** A shade for how much went wrong, and a shape that says the same. */
function tone(tally: DayTally | undefined): string {
  if (tally === undefined) return 'nothing';
  const { good, bad, quiet } = tally;
  if (bad > 0) return bad * 2 >= good + bad ? 'bad most' : 'bad';
  if (good > 0) return 'good';
  return quiet > 0 ? 'quiet' : 'nothing';
}

/**
 * Whoever hears it has the title. What went wrong is counted; all else needs no number in so little
 * room.
 */
function came(tally: DayTally | undefined): Printable {
  if (tally === undefined) return null;
  const { good, bad, quiet } = tally;
  if (bad > 0) return html`<i aria-hidden="true">${mark('failed')}${short(bad)}</i>`;
  if (good > 0) return html`<i aria-hidden="true">${mark('succeeded')}</i>`;
  return quiet > 0 && html`<i aria-hidden="true">${mark('skipped')}</i>`;
}

const short = (n: number): string => (n < 1000 ? String(n) : '999+');
