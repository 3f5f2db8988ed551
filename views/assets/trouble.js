/*
 * When no answer comes at all, there is nothing from the server to say so: a page that asked for
 * what is new says how old it is, and a click says that nobody knows what became of it. What is
 * said of the page goes away with its next answer.
 */

/** @typedef {{ sourceElement: Element, request: { method: string } }} Asked */

/** @type {(event: Event) => Asked | null} */
const askedBy = (event) => (event instanceof CustomEvent ? (event.detail.ctx ?? null) : null);

const poller = () => document.querySelector('#poller');

/** @param {string} words */
function paragraph(words) {
  const line = document.createElement('p');
  line.className = 'bad';
  line.textContent = words;
  return line;
}

document.addEventListener('htmx:error', (event) => {
  const asked = askedBy(event);
  if (asked === null) return;
  if (asked.sourceElement.matches('[data-poll]')) {
    poller()?.replaceChildren('No answer from the server: this page is as it was at the last one.');
    return;
  }
  const changes = asked.request.method !== 'GET';
  const unsure = 'whether it was done is not known. Look before you repeat it.';
  const next = changes ? unsure : 'try again.';
  document
    .querySelector('#message')
    ?.replaceChildren(paragraph(`No answer from the server: ${next}`));
});

document.addEventListener('htmx:after:request', (event) => {
  const asked = askedBy(event);
  if (asked?.sourceElement === poller()) poller()?.replaceChildren();
});
