import { describe, expect, test } from 'vitest';
import type { RunQuery } from '../../server/core/store.ts';
import * as queries from '../../server/stores/firestore-queries.ts';
import { encode } from '../../server/stores/firestore-values.ts';
import { action, jobRecord, logChunk, run } from '../builders.ts';
import { emulator, newProject, openStore } from './fixture.ts';
import { indexFile, indexOf, isExempt, needIndex } from './indexes.ts';

const some = { job: 'job', trigger: 'manual' } as const;
const STATES: readonly RunQuery['states'][] = [undefined, ['failed'], ['failed', 'lost']];

/** Every choice of filters that a listing of runs can have. */
const FILTERS: readonly Partial<RunQuery>[] = STATES.flatMap((states) =>
  Array.from({ length: 4 }, (_, bits) => ({
    ...(states && { states }),
    ...(bits & 1 && { job: some.job }),
    ...(bits & 2 && { trigger: some.trigger }),
  })),
);

const EVERY_QUERY: readonly queries.Query[] = [
  queries.dueJobs(1, 1),
  queries.nextDue(1),
  queries.jobsByName(1),
  queries.jobsChanged(1, 1),
  queries.actionsNewest({ limit: 1 }, 1),
  queries.actionsNewest({ limit: 1, job: 'job' }, 1),
  queries.inside('logs/x', 'chunks', 1),
  queries.inside('specs/x', 'changes', 1),
  queries.logEnd('x', { from: 0, before: 1, limit: 1 }),
  ...FILTERS.map((filters) => queries.runsNewest({ ...filters, limit: 1, since: 1, until: 2 }, 1)),
];

describe('firestore.indexes.json', () => {
  test('has an index for every query that is asked', () => {
    for (const query of EVERY_QUERY) needIndex(query);

    expect(EVERY_QUERY).toHaveLength(21);
  });

  test('has no index of several fields that no query needs', () => {
    const needed = EVERY_QUERY.map((query) => JSON.stringify(indexOf(query)));
    const unneeded = indexFile.indexes.filter(({ collectionGroup, fields }) => {
      const last = fields.at(-1);
      const equal = fields.slice(0, -1).map(({ fieldPath }) => `${fieldPath} ==`);
      const way = last?.order === 'DESCENDING' ? 'desc' : 'asc';
      const all = [...equal.toSorted(), `${last?.fieldPath} ${way}`];
      return !needed.includes(JSON.stringify({ collection: collectionGroup, fields: all }));
    });

    expect(unneeded).toEqual([]);
    expect(indexFile.indexes).toHaveLength(8);
  });

  test('a query that has no index is found out', () => {
    const [newest] = FILTERS.map((by) => queries.runsNewest({ ...by, limit: 1 }, 1)).slice(-1);

    expect(() => needIndex({ ...newest!, orderBy: [['startedAt', 'desc']] })).toThrow('no index');
    expect(() => needIndex({ ...newest!, where: [['owner', '==', 'x']] })).toThrow('no index');
    expect(() => needIndex({ ...newest!, where: [], orderBy: [['output', 'asc']] })).toThrow(
      'no index of output asc',
    );
  });

  test('leaves out of the indexes all that no query asks for: input, output, logs and the rest', () => {
    const stored = {
      runs: { ...run(), cost: null },
      jobs: { ...jobRecord(), problem: null, changedAt: 0 },
      chunks: logChunk(),
      changes: { job: '', schedule: '', timeZone: '', from: 0, build: '', zoneData: '' },
      actions: action({ before: null, after: '' }),
      meta: { value: '', rev: 0 },
    };

    const indexed = Object.entries(stored).map(([collection, document]) => [
      collection,
      Object.keys(encode(document).fields).filter((field) => !isExempt(collection, field)),
    ]);

    expect(Object.fromEntries(indexed)).toEqual({
      runs: ['at'],
      jobs: ['nextActionAt', 'changedAt'],
      chunks: ['n'],
      changes: [],
      actions: ['at'],
      meta: [],
    });
  });
});

test.skipIf(emulator === null)(
  'a store that is asked without an index fails its test',
  async () => {
    const store = openStore({ project: newProject() });

    await store.listRuns({ limit: 1, job: 'job' });

    expect(store.costs().get('runs')).toMatchObject({ reads: 1 });
    await store.close();
  },
);
