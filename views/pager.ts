import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { count, exactTime } from './time.ts';
import { withQuery } from './urls.ts';

/** Where one is in a list that goes on: each page's beginning, from the second to this one. */
export type Trail = readonly string[];

/** More stand in no address; whoever went further goes back to the newest at once. */
const TRAIL_LIMIT = 20;

export const trailOf = (text: string | undefined): Trail =>
  text === undefined ? [] : text.split('~').filter((cursor) => cursor !== '');

/** How far was looked for what no index knows. */
export interface Looked {
  readonly scanned: number;
  readonly backTo: Instant | null;
}

/** The ways on and back; and where the list had to be looked for, how far that went. */
export function pager(list: {
  readonly path: string;
  /** Where the list stands on its page, such as `#history`. */
  readonly place?: string;
  /** What the address has besides. */
  readonly query: Readonly<Record<string, string>>;
  readonly trail: Trail;
  /** Undefined where nothing older comes. */
  readonly next: string | undefined;
  /** What the list is of. */
  readonly noun: string;
  readonly looked: Looked | null;
}): Html {
  const { trail, next, noun, looked } = list;
  const at = (to: Trail): string => {
    const cursor = to.slice(-TRAIL_LIMIT).join('~');
    return withQuery(list.path, { ...list.query, cursor }) + (list.place ?? '');
  };
  const older = looked === null ? 'Older' : 'Look further';
  return html`<nav class="pager" aria-label="More of the list">
    ${trail.length > 1 && html`<a href="${at([])}">Newest</a>`}
    ${trail.length > 0 && html`<a rel="prev" href="${at(trail.slice(0, -1))}">Newer</a>`}
    ${next !== undefined && html`<a rel="next" href="${at([...trail, next])}">${older}</a>`}
    ${looked !== null && html`<span>${lookedThrough(looked, next, noun)}</span>`}
  </nav>`;
}

function lookedThrough({ scanned, backTo }: Looked, next: string | undefined, noun: string) {
  const words: Printable =
    next === undefined || backTo === null
      ? 'to the first'
      : html`back to ${exactTime(backTo - (backTo % 1000))}`;
  return html`looked through ${count(scanned, noun)}, ${words}`;
}
