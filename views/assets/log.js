/*
 * A log that is looked at (`data-log`): it follows its end until somebody scrolls up, and then
 * counts what comes in; what is typed in its filter hides the lines that do not match.
 */

/** So near to its end counts as its end. */
const NEAR_END_PX = 24;
/** More lines than this make a page slow: the oldest go, while nobody reads them. */
const MOST_LINES = 4000;
const KEPT_LINES = 3000;
const MARKS_LIMIT = 1000;
const LEVELS = ['debug', 'info', 'warn', 'error'];

/** @type {WeakSet<Element>} */
const known = new WeakSet();

function setUpAll() {
  for (const list of document.querySelectorAll('[data-log]')) {
    const section = list.closest('section');
    if (!(list instanceof HTMLElement) || section === null || known.has(list)) continue;
    known.add(list);
    setUp(list, section);
  }
}

/** @param {HTMLElement} list @param {HTMLElement} section */
function setUp(list, section) {
  const filter = filterOf(list, section);
  const button = section.querySelector('[data-follow]');
  let following = true;
  let unseen = 0;
  let height = 0;

  const showUnseen = () => {
    if (!(button instanceof HTMLElement)) return;
    button.hidden = following || unseen === 0;
    button.textContent = `${unseen} new ${unseen === 1 ? 'line' : 'lines'} ↓`;
  };
  const toEnd = () => {
    [following, unseen] = [true, 0];
    list.scrollTop = list.scrollHeight;
    showUnseen();
  };

  list.addEventListener('scroll', () => {
    following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    if (following) unseen = 0;
    showUnseen();
  });
  button?.addEventListener('click', toEnd);

  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]).filter(isLine);
    if (added.length === 0) return;
    filter.apply();
    const last = list.lastElementChild;
    if (last !== null && !added.includes(last)) {
      // Earlier lines came in front: what was in sight stays there.
      list.scrollTop += list.scrollHeight - height;
    } else if (following) {
      trim(list, section);
      toEnd();
    } else {
      unseen += added.length;
      showUnseen();
    }
    height = list.scrollHeight;
  }).observe(list, { childList: true });

  filter.apply();
  toEnd();
  height = list.scrollHeight;
}

/** @type {(node: Node) => boolean} */
const isLine = (node) => node instanceof HTMLLIElement;

/** @param {HTMLElement} list @param {HTMLElement} section */
function trim(list, section) {
  if (list.childElementCount <= MOST_LINES) return;
  while (list.childElementCount > KEPT_LINES) list.firstElementChild?.remove();
  const more = section.querySelector('#log-earlier');
  if (more !== null) more.textContent = 'Earlier lines are in the download.';
}

/** Hides what does not match the fields of the log's form, and marks what does. */
/** @param {HTMLElement} list @param {HTMLElement} section */
function filterOf(list, section) {
  const text = section.querySelector('input[name="text"]');
  const level = section.querySelector('select[name="level"]');
  const count = section.querySelector('[data-log-count]');

  const apply = () => {
    const wanted = text instanceof HTMLInputElement ? text.value.toLowerCase() : '';
    const least = level instanceof HTMLSelectElement ? LEVELS.indexOf(level.value) : -1;
    const all = wanted === '' && least <= 0;
    let [shown, lines] = [0, 0];
    /** @type {Element[]} */
    const matching = [];
    for (const line of list.children) {
      if (!(line instanceof HTMLElement)) continue;
      const at = LEVELS.indexOf(line.className);
      if (at !== -1) lines += 1;
      const fits = all || (at >= least && at !== -1 && has(line, wanted));
      if (line.hidden === fits) line.hidden = !fits;
      if (fits && at !== -1) shown += 1;
      if (fits && wanted !== '' && matching.length < MARKS_LIMIT) matching.push(line);
    }
    mark(matching, wanted);
    const words = all ? '' : `${shown} of ${lines} loaded lines`;
    if (count !== null && count.textContent !== words) count.textContent = words;
  };
  text?.addEventListener('input', apply);
  level?.addEventListener('change', apply);
  return { apply };
}

/** @type {(line: Element, wanted: string) => boolean} */
const has = (line, wanted) =>
  wanted === '' || (line.lastElementChild?.textContent ?? '').toLowerCase().includes(wanted);

/** Marks a text without touching the lines; where that can't be done, they are found anyway. */
/** @param {readonly Element[]} lines @param {string} wanted */
function mark(lines, wanted) {
  if (!('highlights' in CSS)) return;
  const found = new Highlight();
  for (const line of lines) {
    const words = line.lastElementChild;
    if (words === null) continue;
    const walk = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
      const said = (node.textContent ?? '').toLowerCase();
      const at = said.indexOf(wanted);
      // Letters that change their length with their case would be marked beside themselves.
      if (at === -1 || said.length !== node.textContent?.length) continue;
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      found.add(range);
    }
  }
  CSS.highlights.set('log-found', found);
}

document.addEventListener('htmx:after:swap', setUpAll);
setUpAll();
