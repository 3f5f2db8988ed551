import { BadCursor } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { badRequest, instant } from '../read.ts';

/** What pages of a long list have in common: where each begins, and what it counts back from. */

/** An address that was cut, or changed by hand, names no place in a list. */
export async function atCursor<Page>(page: Promise<Page>): Promise<Page> {
  try {
    return await page;
  } catch (error) {
    if (!(error instanceof BadCursor)) throw error;
    const message = 'is no place in this list; start again without it';
    throw badRequest([{ path: '?cursor', message }]);
  }
}

/** What counts back from now counts from whole minutes, or each poll would be another page. */
const STEADY_MS = 60_000;

/** What `since:2d` counts back from: all pages of one list have the same. */
export const readAsOf = (query: ReadonlyMap<string, string>, now: Instant): Instant =>
  query.has('asOf') ? instant(query.get('asOf'), '?asOf') : now - (now % STEADY_MS);
