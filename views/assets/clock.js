/*
 * Words that say how far away an instant is go on by themselves, by the server's clock: what the
 * page was made by, and the time since then.
 *
 *   <time datetime="…" data-words="relative">   in 5 minutes, 3 s ago
 *   <time datetime="…" data-words="countdown">  in 4 min 32 s
 *   <time datetime="…" data-words="since">      4 min 32 s
 *   <time datetime="…" data-words="here">       the viewer's own date and time
 *
 * The same rules as views/time.ts: a test compares the two.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const madeAt = Number(document.documentElement.dataset['now'] ?? Date.now());
const loadedAt = performance.now();

/** The server's time: the viewer's clock may be wrong, and may be set. */
const now = () => madeAt + (performance.now() - loadedAt);

/** @type {(n: number, noun: string) => string} */
const count = (n, noun) => `${n.toLocaleString('en-GB')} ${noun}${n === 1 ? '' : 's'}`;

/** @param {number} ms */
function distance(ms) {
  if (Math.round(ms / SECOND) < 60) return `${Math.round(ms / SECOND)} s`;
  if (Math.round(ms / MINUTE) < 120) return count(Math.round(ms / MINUTE), 'minute');
  if (Math.round(ms / HOUR) < 48) return count(Math.round(ms / HOUR), 'hour');
  return count(Math.round(ms / DAY), 'day');
}

/** @type {(large: number, largeUnit: string, small: number, smallUnit: string) => string} */
const twoParts = (large, largeUnit, small, smallUnit) =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** In whole seconds, for what is looked at while it goes on. @param {number} ms */
function length(ms) {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return twoParts(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return twoParts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.floor(minutes / 60);
  return twoParts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** @type {Record<string, (at: number) => string>} */
const WORDS = {
  relative(at) {
    const away = Math.abs(at - now());
    if (Math.round(away / DAY) >= 60) return new Date(at).toISOString().slice(0, 10);
    if (Math.round(away / SECOND) < 1) return 'now';
    return at > now() ? `in ${distance(away)}` : `${distance(away)} ago`;
  },
  countdown(at) {
    const left = at - now();
    return left <= 0 ? 'due now' : `in ${length(left + SECOND - 1)}`;
  },
  since: (at) => length(now() - at),
  here(at) {
    /** @param {Intl.DateTimeFormatOptions} options */
    const part = (options) => new Date(at).toLocaleDateString('en-GB', options);
    const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
    const day = part({ day: 'numeric', month: 'short', year: 'numeric' });
    return `${part({ weekday: 'short' })} ${day}, ${time}`;
  },
};

function goOn() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll('time[data-words]')) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const words = WORDS[time.dataset['words'] ?? '']?.(Date.parse(time.dateTime));
    if (words !== undefined && time.textContent !== words) time.textContent = words;
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const name of document.querySelectorAll('[data-here-zone]')) {
    if (name.textContent !== zone) name.textContent = zone;
  }
}

setInterval(goOn, SECOND);
document.addEventListener('visibilitychange', goOn);
document.addEventListener('htmx:after:swap', goOn);
goOn();
