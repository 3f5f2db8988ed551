/*
 * Keys for those who don't like to reach for the mouse: `/` goes to the field marked
 * `data-search`, `j` and `k` walk through rows marked `data-row`, Enter opens the row's first link,
 * `g` and a letter go to a page, `?` shows them all (views/keys.ts).
 */

/** @type {Record<string, string>} */
const PAGES = { j: '/', r: '/runs', t: '/timeline', a: '/actions', s: '/system' };
const PAGE_KEY_WITHIN_MS = 1500;

let wentAt = -Infinity;

/** @param {EventTarget | null} target */
const isField = (target) =>
  target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]');

const rows = () =>
  [...document.querySelectorAll('[data-row]')].filter((row) => row instanceof HTMLElement);

/** @param {number} by */
function walk(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const row = all[at === -1 ? (by > 0 ? 0 : all.length - 1) : at + by];
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function showKeys() {
  const dialog = document.querySelector('#keys');
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key, target } = event;
  if (isField(target)) {
    if (key === 'Escape' && target instanceof HTMLElement) target.blur();
    return;
  }
  if (document.querySelector('dialog[open]')) return;
  const page = performance.now() - wentAt < PAGE_KEY_WITHIN_MS ? PAGES[key] : undefined;
  wentAt = key === 'g' ? performance.now() : -Infinity;
  if (page !== undefined) return location.assign(page);
  if (key === 'j') walk(1);
  else if (key === 'k') walk(-1);
  else if (key === '?') showKeys();
  else if (key === 'Enter' && target instanceof HTMLElement && target.matches('[data-row]')) {
    target.querySelector('a')?.click();
  } else if (key === '/') {
    const field = document.querySelector('[data-search]');
    if (!(field instanceof HTMLInputElement)) return;
    event.preventDefault();
    field.focus();
    field.select();
  }
});

const button = document.querySelector('[data-keys]');
if (button instanceof HTMLButtonElement) {
  // Without this script there is nothing behind it.
  button.hidden = false;
  button.addEventListener('click', showKeys);
}
