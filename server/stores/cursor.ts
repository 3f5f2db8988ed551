import { createHash } from 'node:crypto';
import { BadCursor, type ActionQuery, type RunQuery } from '../core/store.ts';

/** The last row of a page: the next page begins behind it. */
export interface Position {
  readonly at: number;
  readonly id: string;
}

/** What a cursor of a listing of runs is for. Which states are asked for has no order. */
export function runFilters({ job, states, trigger, since, until }: RunQuery): readonly unknown[] {
  const any = states === undefined ? undefined : statesOf(states);
  return ['runs', job, any, trigger, since, until];
}

/** Each once, in an order of their own. */
export const statesOf = (states: NonNullable<RunQuery['states']>) =>
  [...new Set(states)].toSorted();

export const actionFilters = ({ job }: ActionQuery): readonly unknown[] => ['actions', job];

/** Longer ones were not made here. */
const CURSOR_LIMIT = 1000;

/**
 * A page's end as opaque text. `query` names the listing and its filters, so that a cursor of one
 * listing is refused by another.
 */
export function cursorOf({ at, id }: Position, query: readonly unknown[]): string {
  const body = [at, id, digest(at, id, query)];
  return Buffer.from(JSON.stringify(body)).toString('base64url');
}

/** Throws `BadCursor` for anything that `cursorOf` did not give for the same query. */
export function positionOf(cursor: string, query: readonly unknown[]): Position {
  const [at, id, seal] = fields(cursor);
  const whole = typeof at === 'number' && typeof id === 'string';
  if (whole && seal === digest(at, id, query)) return { at, id };
  throw new BadCursor('the cursor is not one that this listing gave; start again without it');
}

function fields(cursor: string): readonly unknown[] {
  if (cursor.length > CURSOR_LIMIT) return [];
  try {
    const body: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(body) ? body : [];
  } catch {
    return [];
  }
}

/** Against mistakes, not against malice: whoever may read the page may read any part of it. */
const digest = (at: number, id: string, query: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([at, id, query]))
    .digest('base64url')
    .slice(0, 12);
