import { isInstant, isoInstant, type Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';

/** Times as words. The one place where an instant becomes text that people read. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/*
 * What is told as seen from `now` goes on by itself where the page's script runs
 * (views/assets/clock.js): `data-words` tells it how.
 */

/** An instant in words as seen from `now`; the exact one, in UTC, shows on hovering. */
export const time = (at: Instant, now: Instant): Html => going('relative', at, relative(at, now));

/** The time left to an instant: `in 4 min 32 s`, `due now`. */
export const countdown = (at: Instant, now: Instant): Html =>
  going('countdown', at, at <= now ? 'due now' : `in ${elapsed(at - now + SECOND - 1)}`);

/** The time since an instant: `4 min 32 s`. */
export const since = (at: Instant, now: Instant): Html => going('since', at, elapsed(now - at));

/** A place for an instant in the viewer's own zone, which only the browser knows. */
export const viewersTime = (at: Instant): Html => going('here', at, '');

const going = (how: string, at: Instant, words: string): Html =>
  html`<time datetime="${iso(at)}" title="${utc(at)}" data-words="${how}">${words}</time>`;

/** An instant as date and time in UTC. */
export const exactTime = (at: Instant): Html => timeAs(at, utc(at));

/** The same, and beside it how that is seen from `now`. */
export const fullTime = (at: Instant, now: Instant): Html =>
  html`${exactTime(at)} <small>${time(at, now)}</small>`;

/** An instant's time of the day in UTC, for where the day stands above: `05:00:00`. */
export const clockTime = (at: Instant): Html => timeAs(at, utc(at).slice(11, 19));

/** A log line's time in UTC, `05:00:00.123`; with its date where that is not the day of `since`. */
export function logTime(at: Instant, since: Instant): string {
  const text = iso(at).replace('T', ' ').replace('Z', '');
  return text.slice(0, 10) === iso(since).slice(0, 10) ? text.slice(11) : text;
}

/** Words that stand for an instant; the exact one shows on hovering. */
export const timeAs = (at: Instant, words: string): Html =>
  html`<time datetime="${iso(at)}" title="${utc(at)}">${words}</time>`;

/** `in 5 minutes`, `3 s ago`; the date where it is two months or more away. */
export function relative(at: Instant, now: Instant): string {
  const away = Math.abs(at - now);
  if (Math.round(away / DAY) >= 60) return utc(at).slice(0, 10);
  if (Math.round(away / SECOND) < 1) return 'now';
  const words = distance(away);
  return at > now ? `in ${words}` : `${words} ago`;
}

/** One unit is enough; the smaller one is kept up to twice the larger, where it still matters. */
function distance(ms: number): string {
  if (Math.round(ms / SECOND) < 60) return `${Math.round(ms / SECOND)} s`;
  if (Math.round(ms / MINUTE) < 120) return count(Math.round(ms / MINUTE), 'minute');
  if (Math.round(ms / HOUR) < 48) return count(Math.round(ms / HOUR), 'hour');
  return count(Math.round(ms / DAY), 'day');
}

/** `1,204`. */
export const number = (n: number): string => n.toLocaleString('en-GB');

/** `1 line`, `12 lines`, `1,204 lines`. */
export const count = (n: number, noun: string): string =>
  `${number(n)} ${noun}${n === 1 ? '' : 's'}`;

/** `once`, `12 times`. */
export const times = (n: number): string => (n === 1 ? 'once' : `${number(n)} times`);

/** A length of time: `350 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 0) return `−${duration(-ms)}`;
  if (Math.round(ms) < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${Math.round(ms / 100) / 10} s`;
  return inUnits(ms, Math.round);
}

/** The same of what still goes on: whole units that have passed. */
const elapsed = (ms: number): string => inUnits(Math.max(0, ms), Math.floor);

function inUnits(ms: number, whole: (n: number) => number): string {
  const seconds = whole(ms / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return twoParts([Math.floor(seconds / 60), 'min'], [seconds % 60, 's']);
  const minutes = whole(ms / MINUTE);
  if (minutes < 24 * 60) return twoParts([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  const hours = whole(ms / HOUR);
  return twoParts([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

type Part = readonly [number, string];

const twoParts = ([large, largeUnit]: Part, [small, smallUnit]: Part): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** Under this, a start counts as on time: a wake-up takes as long. */
const ON_TIME_MS = 1000;

/** How a start lay to its scheduled instant: `on time`, `4 s late`, `2 s early`. */
export function lateness(ms: number): string {
  if (Math.abs(ms) < ON_TIME_MS) return 'on time';
  return ms > 0 ? `${duration(ms)} late` : `${duration(-ms)} early`;
}

/** `2026-03-01 05:00:00 UTC`, with milliseconds only where there are any. */
export function utc(at: Instant): string {
  return iso(at).replace('T', ' ').replace('.000', '').replace(/Z$/, ' UTC');
}

/** `Date` throws at what is no time; a stored oddity must not take the page down. */
function iso(at: Instant): string {
  return isInstant(at) ? isoInstant(at) : String(at);
}

/** `24 December 2026`, of what a wall clock shows, counted as if that clock were in UTC. */
export const longDate = (wall: number): string =>
  new Date(wall).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** `02:30`, with seconds only where there are any, or where others beside it have some. */
export function wallTime(wall: number, seconds = wall % MINUTE !== 0): string {
  const text = new Date(wall).toISOString().slice(-13, -5);
  return seconds ? text : text.slice(0, -3);
}

/** `Sun 8 March 2026, 03:00`. */
export const wallDateTime = (wall: number): string => `${dayDate(wall)}, ${wallTime(wall)}`;

/** `Sun 8 March 2026`. */
export const dayDate = (wall: number): string =>
  `${WEEKDAYS[new Date(wall).getUTCDay()]} ${longDate(wall)}`;

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** `Sun 14:05`, in UTC, for what lies within days of now; with seconds where there are any. */
export function dayTime(at: Instant): string {
  const seconds = Math.floor(at / SECOND);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const clock = `${two(hours - days * 24)}:${two(minutes - hours * 60)}`;
  const left = seconds - minutes * 60;
  // 1 January 1970 was a Thursday.
  const weekday = WEEKDAYS[(((days + 4) % 7) + 7) % 7];
  return left === 0 ? `${weekday} ${clock}` : `${weekday} ${clock}:${two(left)}`;
}

const two = (n: number): string => `${n}`.padStart(2, '0');

/** `Mon 30`: a day of this month or the next, in UTC. */
export const shortDay = (at: Instant): string => {
  const date = new Date(at);
  return `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()}`;
};

/** `3 May`, in UTC. */
export const dayMonth = (at: Instant): string => {
  const date = new Date(at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
};

/** `Mon 3 May`, in UTC. */
export const weekdayDate = (at: Instant): string =>
  `${WEEKDAYS[new Date(at).getUTCDay()]} ${dayMonth(at)}`;

/** `Mon 3 May 2026, 02:30`, of what a wall clock shows. */
export const wallDayTime = (wall: number): string =>
  `${weekdayDate(wall)} ${new Date(wall).getUTCFullYear()}, ${wallTime(wall)}`;

/** `3 May 2026, 10:00`, in UTC. */
export const dateTime = (at: Instant): string =>
  `${dayMonth(at)} ${new Date(at).getUTCFullYear()}, ${utc(at).slice(11, 16)}`;

const MONTHS = [
  ...(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'] as const),
  ...(['Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const),
];
