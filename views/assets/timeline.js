/*
 * The timeline's niceties: its axis in the viewer's own zone too, the time under the pointer, and
 * arrow keys that go from one run of a lane to the next. Without them all there is can be read.
 */

/** Tells no more than the axis does at a glance. @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: '2-digit', minute: '2-digit' };

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {number} at */
const here = (at) => new Date(at).toLocaleTimeString('en-GB', CLOCK);

/** @param {number} at */
const utc = (at) =>
  new Date(at).toLocaleString('en-GB', { ...CLOCK, weekday: 'short', timeZone: 'UTC' });

function label() {
  for (const text of document.querySelectorAll('[data-here-at]')) {
    const words = here(Number(text.getAttribute('data-here-at')));
    if (text.textContent !== words) text.textContent = words;
  }
}

/** A mark within so many pixels of the pointer is meant: most are not wide enough to hit. */
const NEAR = 7;

/** @type {SVGElement | undefined} */
let near;

/** @param {Element} within @returns {SVGElement[]} */
const marksIn = (within) =>
  [...within.querySelectorAll('.track a')].filter((mark) => mark instanceof SVGElement);

/** By how many pixels a mark lies beside a place. @type {(mark: Element, x: number) => number} */
function beside(mark, x) {
  const { left, right } = mark.getBoundingClientRect();
  return Math.max(left - x, x - right, 0);
}

/**
 * The mark nearest to a place; of those on top of each other the last drawn.
 *
 * @type {(lane: Element, x: number) => SVGElement | undefined}
 */
function nearest(lane, x) {
  const marks = marksIn(lane).reverse();
  const least = Math.min(NEAR, ...marks.map((mark) => beside(mark, x)));
  return least < NEAR ? marks.find((mark) => beside(mark, x) === least) : undefined;
}

/** Takes the words from the browser's own, slower way to tell them. @param {SVGElement} mark */
function wordsOf(mark) {
  const title = mark.querySelector('title');
  if (title === null) return mark.getAttribute('aria-label') ?? '';
  mark.setAttribute('aria-label', title.textContent ?? '');
  title.remove();
  return mark.getAttribute('aria-label') ?? '';
}

const cursorIn = () => {
  const cursor = document.querySelector('#tl-cursor');
  return cursor instanceof HTMLElement ? cursor : undefined;
};

function leave() {
  const cursor = cursorIn();
  if (cursor) cursor.hidden = true;
  choose(undefined);
}

/** @param {SVGElement | undefined} mark */
function choose(mark) {
  if (near !== mark) near?.classList.remove('near');
  near = mark;
  near?.classList.add('near');
}

/**
 * Shows the time at a place of the axis, and what lies there.
 *
 * @type {(at: { x: number, y: number }, mark: SVGElement | undefined) => void}
 */
function tell({ x, y }, mark) {
  const cursor = cursorIn();
  const chart = cursor?.parentElement;
  const axis = chart?.querySelector('.axis')?.getBoundingClientRect();
  const output = cursor?.querySelector('output');
  if (!cursor || !chart || !axis || !output) return;
  choose(mark);
  const [from, to] = [Number(chart.dataset['from']), Number(chart.dataset['to'])];
  const at = from + ((x - axis.left) / axis.width) * (to - from);
  const own = new Date(at).getTimezoneOffset() === 0 ? '' : ` · ${here(at)} ${zone}`;
  const words = mark === undefined ? [] : [document.createElement('br'), wordsOf(mark)];
  output.replaceChildren(`${utc(at)} UTC${own}`, ...words);
  cursor.hidden = false;
  const box = chart.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = output;
  cursor.style.left = `${x - box.left}px`;
  // Above the pointer, and within the chart at either end.
  const left = Math.max(box.left, Math.min(box.right - width, x - width / 2));
  output.style.left = `${left - x}px`;
  output.style.top = `${Math.max(2, y - box.top - height - TIP_ABOVE)}px`;
}

const TIP_ABOVE = 18;

/** @param {PointerEvent} event */
function follow(event) {
  const lane = event.target instanceof Element ? event.target.closest('.lane, .top-axis') : null;
  const axis = lane?.closest('.chart')?.querySelector('.axis')?.getBoundingClientRect();
  const x = event.clientX;
  if (!lane || !axis || x < axis.left || x > axis.right || event.pointerType === 'touch') {
    return leave();
  }
  tell({ x, y: event.clientY }, nearest(lane, x));
}

/** @param {MouseEvent} event */
function open(event) {
  const track = event.target instanceof Element ? event.target.closest('.track') : null;
  if (track === null || (event.target instanceof Element && event.target.closest('a'))) return;
  const url = nearest(track.closest('.lane') ?? track, event.clientX)?.getAttribute('href');
  if (!url) return;
  if (event.ctrlKey || event.metaKey) window.open(url, '_blank');
  else location.assign(url);
}

/** @param {KeyboardEvent} event */
function step(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const lane = event.target instanceof Element ? event.target.closest('.lane') : null;
  if (by === undefined || lane === null || event.ctrlKey || event.metaKey || event.altKey) return;
  // Drawn in layers, but walked through in time.
  const byTime = marksIn(lane).toSorted(
    (a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left,
  );
  const at = byTime.findIndex((mark) => mark === document.activeElement);
  const mark = byTime[at === -1 ? (by > 0 ? 0 : byTime.length - 1) : at + by];
  if (mark === undefined) return;
  event.preventDefault();
  mark.focus();
  const { left, top, width } = mark.getBoundingClientRect();
  tell({ x: left + width / 2, y: top }, mark);
}

document.addEventListener('pointermove', follow);
document.addEventListener('click', open);
document.addEventListener('keydown', step);
document.addEventListener('focusout', leave);
document.addEventListener('htmx:after:swap', label);
label();
