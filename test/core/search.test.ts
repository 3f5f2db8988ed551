import { expect, test } from 'vitest';
import type { Run } from '../../server/core/records.ts';
import { searchRuns, type RunSearch } from '../../server/core/search.ts';
import type { RunQuery } from '../../server/core/store.ts';
import { openMemoryStore } from '../../server/stores/memory.ts';
import { commit, jobRecord, run } from '../builders.ts';
import { Random } from '../simulation/random.ts';
import { testClock } from '../test-clock.ts';

async function storeWith(runs: readonly Run[]) {
  const store = openMemoryStore({ clock: testClock() });
  await store.commit(commit(jobRecord(), { create: runs }));
  return store;
}

const error = (message: string) => ({ name: 'Error', message, stack: null });
const attempt = {
  n: 1,
  fence: 1,
  attemptId: 'a',
  owner: 'here',
  startedAt: 1,
  endedAt: 2,
  outcome: 'failed',
  error: error('the needle of an attempt'),
} as const;
const late = {
  attemptId: 'a',
  outcome: 'failed',
  output: null,
  error: null,
  notes: [],
  at: 1,
} as const;

test.for([
  ['its id', { id: 'job!needle' }],
  ['its error', { error: error('found a NEEDLE') }],
  ["its error's name", { error: { name: 'NeedleError', message: '', stack: null } }],
  ["an attempt's error", { attempts: [attempt] }],
  ['its output', { output: '{"pile":"Needle"}' }],
  ['its input', { input: '["needle"]' }],
  [
    'a note',
    {
      notes: [
        { at: 1, text: 'hay' },
        { at: 2, text: 'a needle' },
      ],
    },
  ],
  ['who asked for it', { requestedBy: 'needle@example.com' }],
  ['a late output', { lateResult: { ...late, output: '"needle"' } }],
  ['a late error', { lateResult: { ...late, error: error('needle') } }],
  ['a late note', { lateResult: { ...late, notes: ['needle'] } }],
] as const)('a run is found by %s, in whatever case', async ([, change]) => {
  const store = await storeWith([run({ id: 'x' }), run({ id: 'y', ...(change as Partial<Run>) })]);

  const { runs } = await searchRuns(store, { text: 'nEEdle', limit: 9 }, { scan: 100 });

  expect(runs).toHaveLength(1);
});

test('a reason is found, and what nobody reads is not', async () => {
  const made = run({ id: 'x', reason: 'overlap', traceparent: 'needle', build: 'needle' });
  const store = await storeWith([made]);
  const found = async (text: string) =>
    (await searchRuns(store, { text, limit: 9 }, { scan: 100 })).runs.length;

  expect([await found('overlap'), await found('needle')]).toEqual([1, 0]);
});

test('without a text it is a plain listing', async () => {
  const store = await storeWith([1, 2, 3].map((at) => run({ id: `r${at}`, at })));

  const { runs, cursor, scanned, backTo } = await searchRuns(
    store,
    { text: null, limit: 2 },
    { scan: 1 },
  );

  expect([runs.map(({ id }) => id), scanned, backTo]).toEqual([['r3', 'r2'], 2, 2]);
  expect(cursor).toBeDefined();
});

test('a search that ends at its limit goes on from there, though it found nothing', async () => {
  const many = Array.from({ length: 30 }, (_, at) =>
    run({ id: `r${String(at).padStart(2, '0')}`, at, output: at === 3 ? '"needle"' : null }),
  );
  const store = await storeWith(many);

  const first = await searchRuns(store, { text: 'needle', limit: 5 }, { scan: 20 });
  const { cursor } = first;
  const second = await searchRuns(
    store,
    { text: 'needle', limit: 5, ...(cursor && { cursor }) },
    { scan: 20 },
  );

  expect(first).toMatchObject({ runs: [], scanned: 20, backTo: 10 });
  expect(second).toMatchObject({ runs: [{ id: 'r03' }], scanned: 10, backTo: 0 });
  expect(second.cursor).toBeUndefined();
});

test('it asks for no page larger than it may look through, nor than 500', async () => {
  const many = Array.from({ length: 1500 }, (_, at) => run({ id: `r${at}`, at }));
  const store = await storeWith(many);
  const asked: number[] = [];
  const watched = {
    listRuns: (query: RunQuery) => {
      asked.push(query.limit);
      return store.listRuns(query);
    },
  };

  const { scanned } = await searchRuns(watched, { text: 'no', limit: 5 }, { scan: 1111 });

  expect(scanned).toBe(1111);
  expect(Math.max(...asked)).toBeLessThanOrEqual(500);
  expect(asked.reduce((sum, limit) => sum + limit)).toBe(1111);
});

test('over all pages each match comes once, whatever the limits and the filters', async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const random = new Random(`search/${seed}`);
    const share = random.pick(0.02, 0.3, 0.95);
    const many = Array.from({ length: random.below(700) }, (_, i) =>
      run({
        id: `r${i}`,
        at: random.below(200),
        state: random.pick('succeeded', 'failed', 'lost'),
        output: random.chance(share) ? '"a needle"' : '"hay"',
      }),
    );
    const store = await storeWith(many);
    const states = random.pick(undefined, ['failed'] as const, ['failed', 'lost'] as const);
    const limit = 1 + random.below(40);
    const scan = 1 + random.below(500);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query: RunSearch = { text: 'NEEDLE', limit, ...(states && { states }) };
      const page = await searchRuns(store, { ...query, ...(cursor && { cursor }) }, { scan });
      expect(page.runs.length).toBeLessThanOrEqual(limit);
      expect(page.scanned).toBeLessThanOrEqual(scan);
      seen.push(...page.runs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);

    const wanted: readonly string[] = states ?? ['succeeded', 'failed', 'lost'];
    const expected = many
      .filter(({ output, state }) => output === '"a needle"' && wanted.includes(state))
      .toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
    expect(seen).toEqual(expected.map(({ id }) => id));
  }
});
