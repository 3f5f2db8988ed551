/*
 * A part with `data-poll="3"` is told every 3 s to ask for what is new, but only while somebody
 * looks: a hidden tab asks nothing, and asks at once when it is shown again.
 */

/** @type {WeakMap<Element, number>} */
const askedAt = new WeakMap();

function ask() {
  if (document.hidden) return;
  for (const part of document.querySelectorAll('[data-poll]')) {
    if (!(part instanceof HTMLElement)) continue;
    const now = performance.now();
    const before = askedAt.get(part);
    if (before === undefined) askedAt.set(part, now);
    else if (now - before >= Number(part.dataset['poll']) * 1000 - 50) {
      askedAt.set(part, now);
      part.dispatchEvent(new Event('poll'));
    }
  }
}

setInterval(ask, 500);
document.addEventListener('visibilitychange', ask);
ask();
