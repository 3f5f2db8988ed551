import { readFileSync } from 'node:fs';
import type { Query } from '../../server/stores/firestore-queries.ts';

/** The emulator answers any query; the real Firestore wants an index for it. So it is asked here. */

interface IndexFile {
  readonly indexes: readonly {
    readonly collectionGroup: string;
    readonly queryScope: string;
    readonly fields: readonly { readonly fieldPath: string; readonly order: string }[];
  }[];
  readonly fieldOverrides: readonly {
    readonly collectionGroup: string;
    readonly fieldPath: string;
    readonly indexes: readonly unknown[];
  }[];
}

export const indexFile: IndexFile = JSON.parse(
  readFileSync(new URL('../../firestore.indexes.json', import.meta.url), 'utf8'),
);

/**
 * The index that a query needs, as its fields in order: those compared for equality by name, then
 * the order. Undefined where documents are found by their ids alone.
 */
export function indexOf(query: Query): { collection: string; fields: string[] } | undefined {
  const equal = query.where.filter(([, op]) => EQUAL.includes(op)).map(([field]) => field);
  const ordered = query.orderBy.filter(([field]) => field !== '__name__');
  const fields = [
    ...equal.toSorted().map((field) => `${field} ==`),
    ...ordered.map(([field, way]) => `${field} ${way}`),
  ];
  return fields.length === 0 ? undefined : { collection: query.collection, fields };
}

/** One of several values is looked up in the same index, once for each. */
const EQUAL: readonly string[] = ['==', 'in'];

/** Throws unless the query has an index. */
export function needIndex(query: Query): void {
  const needed = indexOf(query);
  if (needed === undefined) return;
  const { collection, fields } = needed;
  const [only = '', more] = fields;
  const found =
    more === undefined
      ? !isExempt(collection, only.split(' ')[0] ?? '')
      : composites(collection).includes(fields.join(', '));
  if (!found) throw new Error(`${collection}: no index of ${fields.join(', ')}`);
}

export const isExempt = (collection: string, field: string): boolean =>
  indexFile.fieldOverrides.some(
    ({ collectionGroup, fieldPath, indexes }) =>
      collectionGroup === collection && fieldPath === field && indexes.length === 0,
  );

/** Equality takes a field in either order, and in any place before the ordered one. */
const composites = (collection: string): string[] =>
  indexFile.indexes
    .filter((index) => index.collectionGroup === collection && index.queryScope === 'COLLECTION')
    .map(({ fields }) => {
      const last = fields.at(-1);
      const equal = fields.slice(0, -1).map(({ fieldPath }) => fieldPath);
      const way = last?.order === 'DESCENDING' ? 'desc' : 'asc';
      return [...equal.toSorted().map((field) => `${field} ==`), `${last?.fieldPath} ${way}`].join(
        ', ',
      );
    });
