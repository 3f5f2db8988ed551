/*
 * What folds out of the head of a job's page (`details.fold`) is put away by Escape, or by a click
 * beside it; what was filled in stays. Typing the instant at which a pause ends chooses that end.
 * What a filter leaves open has no place in the address.
 */

/** @param {Element | null} kept */
function foldAllBut(kept) {
  for (const fold of document.querySelectorAll('details.fold[open]')) {
    if (fold === kept || !(fold instanceof HTMLDetailsElement)) continue;
    const had = fold.contains(document.activeElement);
    fold.open = false;
    if (had) fold.querySelector('summary')?.focus();
  }
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !document.querySelector('dialog[open]')) foldAllBut(null);
});

document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element) || !target.isConnected) return;
  if (target.closest('dialog, .message') === null) foldAllBut(target.closest('details.fold'));
});

document.addEventListener('input', ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.id !== 'pause-until') return;
  const chosen = target.form?.querySelector('input[name="lasts"][value="until"]');
  if (chosen instanceof HTMLInputElement) chosen.checked = true;
});

document.addEventListener('htmx:config:request', (event) => {
  if (!(event instanceof CustomEvent) || !(event.target instanceof HTMLFormElement)) return;
  const body = event.detail?.ctx?.request?.body;
  if (event.target.closest('#history') === null || !(body instanceof FormData)) return;
  for (const [name, value] of Array.from(body)) if (value === '') body.delete(name);
});
