import type { LogView } from '../server/core/summary.ts';
import { html, type Html, type Printable } from './html.ts';
import { count, utc } from './time.ts';

/** A run's log, oldest line first. */
export function logSection({ entries }: LogView): Printable {
  if (entries.length === 0) return null;
  return html`<section>
    <h2>Log</h2>
    <ol class="log" tabindex="0">${entries.map(entryRow)}</ol>
  </section>`;
}

function entryRow(entry: LogView['entries'][number]): Html {
  if (entry.kind === 'dropped') {
    return html`<li class="gap">${count(entry.count, 'line')} left out here</li>`;
  }
  const { at, level, text, fields } = entry.line;
  return html`<li class="${level}"><time title="${utc(at)}">${utc(at).slice(11, 19)}</time>
    <b>${level}</b> <span>${text}${fields !== null && html` <code>${fields}</code>`}</span></li>`;
}
