import { readFileSync } from 'node:fs';
import type { Query } from './firestore-queries.ts';
import { NoIndex, type Rpc } from './firestore-rpc.ts';

/** The indexes that Firestore does not make by itself, as `firestore.indexes.json` has them. */
export interface IndexFile {
  readonly indexes: readonly CompositeIndex[];
  /** Fields that no index is wanted of. */
  readonly fieldOverrides: readonly {
    readonly collectionGroup: string;
    readonly fieldPath: string;
  }[];
}

export interface CompositeIndex {
  readonly collectionGroup: string;
  readonly fields: readonly { readonly fieldPath: string; readonly order: string }[];
}

export function readIndexFile(): IndexFile {
  const url = new URL('../../firestore.indexes.json', import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** An index whose query is refused, and what Firestore says of it. */
export interface Missing {
  readonly index: string;
  readonly why: string;
}

/**
 * Asks a query for each index, one that finds nothing and is billed as one read. An emulator
 * answers any of them, so it says nothing.
 */
export async function missingIndexes(rpc: Pick<Rpc, 'query'>): Promise<Missing[]> {
  const found = await Promise.all(
    readIndexFile().indexes.map(async (index): Promise<Missing[]> => {
      try {
        await rpc.query(queryOf(index));
        return [];
      } catch (error) {
        if (!(error instanceof NoIndex)) throw error;
        return [{ index: nameOf(index), why: error.message }];
      }
    }),
  );
  return found.flat();
}

/** Equality in all fields but the last, which gives the order. */
function queryOf({ collectionGroup, fields }: CompositeIndex): Query {
  const last = fields.at(-1);
  const way = last?.order === 'DESCENDING' ? 'desc' : 'asc';
  return {
    collection: collectionGroup,
    under: '',
    where: fields.slice(0, -1).map(({ fieldPath }) => [fieldPath, '==', '']),
    orderBy: [
      [last?.fieldPath ?? '', way],
      ['__name__', way],
    ],
    limit: 1,
  };
}

/** Such as `runs by job, state`. */
const nameOf = ({ collectionGroup, fields }: CompositeIndex): string =>
  `${collectionGroup} by ${fields
    .slice(0, -1)
    .map(({ fieldPath }) => fieldPath)
    .join(', ')}`;
