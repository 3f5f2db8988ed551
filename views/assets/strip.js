/*
 * The bars of a job's last runs (views/strip.ts): which one the pointer or an arrow key is at is
 * told beside it, and the strip's link leads to that run. What each one is stands packed in
 * `data-runs` (views/packed.ts tells how).
 */

/**
 * @typedef {{
 *   words: string, tone: string, at: number, range: number | null, ms: number | null,
 *   lateMs: number, url: string,
 * }} Told
 */

const BARS = 60;

/** @type {Record<string, [words: string, tone: string, reason?: string]>} */
const LETTERS = {
  S: ['succeeded', 'good'],
  F: ['failed', 'bad'],
  T: ['timed out', 'bad'],
  L: ['lost', 'bad'],
  C: ['cancelled', 'quiet'],
  K: ['skipped', 'quiet'],
  M: ['missed', 'bad'],
  O: ['skipped, overlap', 'quiet', 'overlap'],
  U: ['skipped, superseded', 'quiet', 'superseded'],
  P: ['skipped, paused', 'quiet', 'paused'],
  A: ['missed, late', 'bad', 'late'],
  G: ['missed, outage', 'bad', 'outage'],
  Y: ['missed, too many', 'bad', 'too-many'],
};

const N = '([0-9a-z]+)';
const OUTCOME = new RegExp(
  `([A-Z])([0-9a-z]*)(?:@(-?[0-9a-z]+))?(?:\\+${N})?(?:~${N})?(?:\\^[0-9a-z]+)?(?:!${N})?`,
  'g',
);

/** @param {string | undefined} text */
const number = (text) => (text === undefined ? 0 : parseInt(text, 36));

/** An instant as ids have it. @param {number} at */
const compact = (at) => new Date(at).toISOString().replace(/[-:]|\.000/g, '');

/** Oldest first. @type {(job: string, packed: string) => Told[]} */
function unpack(job, packed) {
  let [at, step] = [0, 0];
  return [...packed.matchAll(OUTCOME)].map((match) => {
    const [, letter = '', ms = '', delta, before, late, name] = match;
    const [words, tone, reason] = LETTERS[letter] ?? ['unknown', 'quiet'];
    if (delta !== undefined) step = number(delta) * 1000;
    at += step;
    const from = at - number(before) * 1000;
    const id = reason === undefined ? compact(at) : `${compact(from)}..${compact(at)}~${reason}`;
    const url =
      name === undefined
        ? `/runs/${encodeURIComponent(`${job}@${id}`)}`
        : `/jobs/${encodeURIComponent(job)}/last/${name}`;
    return {
      words,
      tone,
      at,
      range: before === undefined ? null : from,
      ms: ms === '' ? null : number(ms),
      lateMs: number(late) * 1000,
      url,
    };
  });
}

/** As views/time.ts has it: a test compares the two. @param {number} ms @returns {string} */
function duration(ms) {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(ms / 3_600_000);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** @type {(large: number, largeUnit: string, small: number, smallUnit: string) => string} */
const two = (large, largeUnit, small, smallUnit) =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** @param {number} at */
const utc = (at) => new Date(at).toISOString().replace('T', ' ').replace('.000Z', ' UTC');

/** @param {number} at */
const here = (at) =>
  new Date(at).toLocaleString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });

const tip = document.createElement('div');
tip.className = 'tip';
tip.setAttribute('role', 'status');
const chosenBar = document.createElement('div');
chosenBar.className = 'tip-bar';
document.body.append(chosenBar, tip);

/**
 * `page` is where the strip leads otherwise.
 *
 * @type {{ strip: HTMLAnchorElement, page: string, from: number, url: string } | undefined}
 */
let chosen;
/** What pressed last. @type {string | undefined} */
let pointer;

/** @param {HTMLAnchorElement} strip */
const pageOf = (strip) =>
  chosen?.strip === strip ? chosen.page : (strip.getAttribute('href') ?? '');

/** @param {HTMLAnchorElement} strip */
function runsOf(strip) {
  const job = decodeURIComponent(pageOf(strip).replace('/jobs/', ''));
  return unpack(job, strip.dataset['runs'] ?? '');
}

/** @param {EventTarget | null} target @returns {HTMLAnchorElement | undefined} */
function stripAt(target) {
  const found = target instanceof Element ? target.closest('a[data-runs]') : null;
  return found instanceof HTMLAnchorElement ? found : undefined;
}

/**
 * Tells a bar of a strip, counted from the newest.
 *
 * @type {(strip: HTMLAnchorElement, from: number) => void}
 */
function choose(strip, from) {
  const runs = runsOf(strip);
  const run = runs.at(-1 - from);
  if (run === undefined) return leave();
  if (chosen !== undefined && chosen.strip !== strip) leave();
  chosen = { strip, page: pageOf(strip), from, url: run.url };
  strip.href = run.url;
  tip.replaceChildren(...linesOf(run));
  const box = (strip.querySelector('svg') ?? strip).getBoundingClientRect();
  const step = box.width / BARS;
  const left = box.right - (from + 1) * step;
  place(chosenBar, { left: left - 1, top: box.top - 2, width: step + 1, height: box.height + 4 });
  const { offsetWidth: width, offsetHeight: height } = tip;
  const room = document.documentElement.clientWidth - width - 8;
  place(tip, {
    left: Math.max(8, Math.min(room, left + step / 2 - width / 2)),
    top: box.top > height + 12 ? box.top - height - 8 : box.bottom + 8,
  });
  tip.classList.add('shown');
  chosenBar.classList.add('shown');
}

/** @type {(element: HTMLElement, box: Record<string, number>) => void} */
function place(element, box) {
  for (const [side, px] of Object.entries(box)) element.style.setProperty(side, `${px}px`);
}

/** @param {Told} run */
function linesOf({ words, tone, at, range, ms, lateMs }) {
  const took = ms === null ? '' : ` in ${duration(ms)}`;
  const late = lateMs === 0 ? '' : `, ${duration(lateMs)} late`;
  const until = range === null ? '' : ` to ${utc(at)}`;
  return [
    line('b', `${words}${took}${late}`, tone),
    line('span', `${utc(range ?? at)}${until}`),
    ...(new Date(at).getTimezoneOffset() === 0 ? [] : [line('span', here(at))]),
  ];
}

/** @type {(tag: string, text: string, tone?: string) => HTMLElement} */
function line(tag, text, tone = '') {
  const element = document.createElement(tag);
  element.className = tone;
  element.textContent = text;
  return element;
}

function leave() {
  if (chosen === undefined) return;
  chosen.strip.href = chosen.page;
  chosen = undefined;
  tip.classList.remove('shown');
  chosenBar.classList.remove('shown');
  tip.replaceChildren();
}

/** @type {(strip: HTMLAnchorElement, event: MouseEvent) => void} */
function chooseUnder(strip, event) {
  const box = (strip.querySelector('svg') ?? strip).getBoundingClientRect();
  const last = runsOf(strip).length - 1;
  const from = Math.floor(((box.right - event.clientX) / box.width) * BARS);
  const within = Math.max(0, Math.min(last, from));
  if (chosen?.strip !== strip || chosen.from !== within) choose(strip, within);
}

document.addEventListener('pointermove', (event) => {
  if (event.pointerType === 'touch') return;
  const strip = stripAt(event.target);
  if (strip !== undefined) chooseUnder(strip, event);
  else if (chosen !== undefined && chosen.strip !== document.activeElement) leave();
});

document.addEventListener('pointerdown', (event) => {
  pointer = event.pointerType;
});

// A finger hits one of sixty bars by luck: the first tap tells which, the next one opens it.
document.addEventListener(
  'click',
  (event) => {
    const strip = stripAt(event.target);
    if (strip === undefined) return leave();
    if (pointer !== 'touch' || event.detail === 0) return;
    const before = chosen;
    chooseUnder(strip, event);
    if (before?.strip !== strip || before.from !== chosen?.from) event.preventDefault();
  },
  true,
);

document.addEventListener('keydown', (event) => {
  const strip = stripAt(event.target);
  if (strip === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const last = runsOf(strip).length - 1;
  const from = chosen?.strip === strip ? chosen.from : undefined;
  const next = {
    ArrowLeft: from === undefined ? 0 : Math.min(last, from + 1),
    ArrowRight: Math.max(0, (from ?? 0) - 1),
    Home: last,
    End: 0,
  }[event.key];
  if (event.key === 'Escape') leave();
  if (next === undefined) return;
  event.preventDefault();
  choose(strip, next);
});

document.addEventListener('focusout', (event) => {
  if (stripAt(event.target) === chosen?.strip) leave();
});

document.addEventListener('scroll', leave, { capture: true, passive: true });

// A swap puts the link back, and a new run moves the bars.
document.addEventListener('htmx:after:swap', () => {
  if (chosen === undefined) return;
  const { strip, url } = chosen;
  const from = runsOf(strip)
    .reverse()
    .findIndex((run) => run.url === url);
  if (strip.isConnected && from !== -1) choose(strip, from);
  else leave();
});
