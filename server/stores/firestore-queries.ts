import type { ActionQuery, LogEndQuery, RunQuery } from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { statesOf, type Position } from './cursor.ts';
import type { StructuredQuery, Value } from './firestore-types.ts';
import { valueOf } from './firestore-values.ts';

/*
 * Every query that is ever asked. Each has an index: Firestore makes one for each single field, and
 * `firestore.indexes.json` names those of several. A test holds the two together.
 */

/** A query of one collection: what must hold, in which order, and how many. */
export interface Query {
  readonly collection: string;
  /** The document that the collection belongs to, such as `logs/x`; '' for one at the top. */
  readonly under: string;
  readonly where: readonly Condition[];
  /** `__name__` is the document's id. */
  readonly orderBy: readonly Order[];
  /** The place behind which it begins: a value for each of `orderBy`. */
  readonly after?: readonly (number | string)[];
  readonly limit: number;
  /** So many are passed over first; each is billed. */
  readonly skip?: number | undefined;
  /** Ids will do. */
  readonly idsOnly?: boolean;
}

type Op = '==' | 'in' | '<' | '<=' | '>' | '>=';
export type Condition = readonly [field: string, op: Op, value: unknown];
export type Order = readonly [field: string, way: 'asc' | 'desc'];

const top = { under: '', where: [] } as const;
const byId: readonly Order[] = [['__name__', 'asc']];

/** Jobs due by an instant, soonest first. */
export const dueJobs = (until: Instant, limit: number, after?: Position): Query => ({
  ...top,
  collection: 'jobs',
  where: [['nextActionAt', '<=', until]],
  orderBy: [
    ['nextActionAt', 'asc'],
    ['__name__', 'asc'],
  ],
  ...(after && { after: [after.at, after.id] }),
  limit,
});

/** The job that is due next after an instant. */
export const nextDue = (after: Instant): Query => ({
  ...top,
  collection: 'jobs',
  where: [['nextActionAt', '>', after]],
  orderBy: [['nextActionAt', 'asc']],
  limit: 1,
});

export const jobsByName = (limit: number, after?: string): Query => ({
  ...top,
  collection: 'jobs',
  orderBy: byId,
  ...(after !== undefined && { after: [after] }),
  limit,
});

/** Jobs written after an instant. */
export const jobsChanged = (since: Instant, limit: number): Query => ({
  ...top,
  collection: 'jobs',
  where: [['changedAt', '>', new Date(since)]],
  orderBy: [['changedAt', 'asc']],
  limit,
});

/** Runs by what is asked of them, newest first. */
export function runsNewest(query: RunQuery, limit: number, after?: Position): Query {
  const { job, states, trigger, since, until, skip } = query;
  const where: Condition[] = [];
  if (job !== undefined) where.push(['job', '==', job]);
  if (states !== undefined) {
    const [state, ...others] = statesOf(states);
    where.push(others.length === 0 ? ['state', '==', state] : ['state', 'in', statesOf(states)]);
  }
  if (trigger !== undefined) where.push(['trigger', '==', trigger]);
  if (since !== undefined) where.push(['at', '>', since]);
  if (until !== undefined) where.push(['at', '<=', until]);
  return {
    ...top,
    collection: 'runs',
    where,
    orderBy: [
      ['at', 'desc'],
      ['__name__', 'desc'],
    ],
    ...(after && { after: [after.at, after.id] }),
    limit,
    skip,
  };
}

export const actionsNewest = ({ job }: ActionQuery, limit: number, after?: Position): Query => ({
  ...top,
  collection: 'actions',
  where: job === undefined ? [] : [['job', '==', job]],
  orderBy: [
    ['at', 'desc'],
    ['__name__', 'desc'],
  ],
  ...(after && { after: [after.at, after.id] }),
  limit,
});

/** A collection inside a document, in the order of its ids. */
export const inside = (under: string, collection: string, limit: number): Query => ({
  collection,
  under,
  where: [],
  orderBy: byId,
  limit,
});

/** By their number, since Firestore has no index of ids from the last to the first. */
export const logEnd = (runId: string, { from, before, limit }: LogEndQuery): Query => ({
  collection: 'chunks',
  under: `logs/${runId}`,
  where: [
    ['n', '>=', from],
    ['n', '<', before],
  ],
  orderBy: [['n', 'desc']],
  limit,
});

const OPS = {
  '==': 'EQUAL',
  in: 'IN',
  '<': 'LESS_THAN',
  '<=': 'LESS_THAN_OR_EQUAL',
  '>': 'GREATER_THAN',
  '>=': 'GREATER_THAN_OR_EQUAL',
} as const;

/** A query as the protocol has it. `root` is the database's name. */
export function structured(query: Query, root: string): StructuredQuery {
  const { collection, under, where, orderBy, after, limit, skip, idsOnly } = query;
  const path = `${root}/documents/${under === '' ? '' : `${under}/`}${collection}`;
  const value = (field: string, part: unknown): Value =>
    field === '__name__' ? { referenceValue: `${path}/${String(part)}` } : valueOf(part);
  const filters = where.map(([field, op, part]) => ({
    fieldFilter: { field: { fieldPath: field }, op: OPS[op], value: value(field, part) },
  }));
  return {
    from: [{ collectionId: collection }],
    ...(filters.length > 0 && { where: { compositeFilter: { op: 'AND', filters } } }),
    orderBy: orderBy.map(([field, way]) => ({
      field: { fieldPath: field },
      direction: way === 'asc' ? 'ASCENDING' : 'DESCENDING',
    })),
    ...(after && {
      startAt: {
        values: after.map((part, i) => value(orderBy[i]?.[0] ?? '', part)),
        before: false,
      },
    }),
    limit: { value: limit },
    ...(skip !== undefined && { offset: skip }),
    ...(idsOnly && { select: { fields: [{ fieldPath: '__name__' }] } }),
  };
}
