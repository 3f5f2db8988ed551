import { html, type Html } from './html.ts';

/** The keys that the page's script knows (views/assets/keys.js), for whoever presses `?`. */
const KEYS = [
  ['/', 'search or filter'],
  ['j  k', 'next row, previous row'],
  ['Enter', 'open the row'],
  ['←  →', 'along the runs of a row'],
  ['g j', 'go to Jobs'],
  ['g r', 'go to Runs'],
  ['g t', 'go to Timeline'],
  ['g a', 'go to Actions'],
  ['g s', 'go to System'],
  ['?', 'this list'],
  ['Esc', 'close, or leave a field'],
] as const;

export const keysHelp: Html = html`<dialog id="keys" class="keys" aria-labelledby="keys-title">
  <h2 id="keys-title">Keys</h2>
  <dl>${KEYS.map(
    ([keys, does]) =>
      html`<div><dt>${keys.split('  ').map((key) => html`<kbd>${key}</kbd> `)}</dt>
        <dd>${does}</dd></div>`,
  )}</dl>
  <form method="dialog"><button>Close</button></form>
</dialog>`;
