import { isInstant, type Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { dayDate, utc } from './time.ts';

const DAY_MS = 86_400_000;

interface Timed {
  readonly at: Instant;
}

/**
 * The rows of a list, newest first, each UTC day under its own heading. A page may have two lists:
 * their names keep the days of one from being taken for those of the other.
 */
export function byDay<One extends Timed>(
  all: readonly One[],
  shown: {
    readonly list: 'runs' | 'actions';
    readonly now: Instant;
    readonly columns: number;
    readonly row: (one: One) => Html;
  },
): Html[] {
  const days = new Map<number, One[]>();
  for (const one of all) {
    const day = Math.floor(one.at / DAY_MS);
    const those = days.get(day);
    if (those === undefined) days.set(day, [one]);
    else those.push(one);
  }
  return [...days].map(
    ([day, those]) => html`<tbody id="${shown.list}-of-${day}">
    <tr class="date">
      <th colspan="${shown.columns}" scope="rowgroup">${dayWords(day, shown.now)}</th>
    </tr>${those.map(shown.row)}
  </tbody>`,
  );
}

/** `Today`, `Yesterday`, each with its date, or the date alone. */
function dayWords(day: number, now: Instant): Html {
  const at = day * DAY_MS;
  // A stored oddity must not take the page down.
  if (!isInstant(at)) return html`<span>${utc(at)}</span>`;
  const back = Math.floor(now / DAY_MS) - day;
  const name = back === 0 ? 'Today' : back === 1 ? 'Yesterday' : null;
  if (name === null) return html`<span>${dayDate(at)}</span> <small>UTC</small>`;
  return html`<span>${name}</span> <small>${dayDate(at)}, UTC</small>`;
}
