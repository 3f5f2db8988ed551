import { expect, test } from 'vitest';
import type { Run } from '../server/core/records.ts';
import { RUN_STATES } from '../server/core/run.ts';
import type { RunQuery, Store } from '../server/core/store.ts';
import { STAMP } from '../server/core/time.ts';
import { commit, jobRecord, logChunk, run } from './builders.ts';
import { storedRun } from './store-contract-due.ts';

/** What `Store` promises about runs. Part of `store-contract.ts`. */
export function historyContract(get: () => Store): void {
  payloads(get);
  listing(get);
  deleting(get);
}

async function put(store: Store, runs: readonly Run[], name = 'nightly-report'): Promise<void> {
  const { version } = await store.read(name);
  const result = await store.commit(commit(jobRecord({ name }), { version, create: runs }));
  expect(result.kind).toBe('ok');
}

async function update(store: Store, id: string, set: Partial<Run>): Promise<void> {
  const { version } = await store.read('nightly-report');
  await store.commit(commit(jobRecord(), { version, update: [{ id, set }] }));
}

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const PAYLOADS: readonly (readonly [string, string])[] = [
  ['unicode', JSON.stringify('žluťoučký 🐎 \u202e عربى')],
  ['NUL', JSON.stringify('a\0b')],
  ['lone surrogates', JSON.stringify('\ud800 and \udc00')],
  ['64 KB', JSON.stringify('x'.repeat(65_536))],
  ['deep JSON', deep(2000)],
  ['__proto__', '{"__proto__":{"polluted":true},"constructor":1,"__name__":2}'],
  ['keys with dots', '{"a.b":{"c.d":1},"`":2,"":3,"*/~[]":4}'],
  ['an empty text', ''],
];

function payloads(get: () => Store): void {
  test.for(PAYLOADS)('input and output of %s come back as they were', async ([, text]) => {
    await put(get(), [run({ input: text })]);
    await update(get(), run().id, { output: text });

    expect(await storedRun(get(), run().id)).toEqual(run({ input: text, output: text }));
  });

  test('a NUL in a message and a key of the prototype in notes harm nothing', async () => {
    const error = { name: '__proto__', message: 'a\0b', stack: null };
    const notes = [{ at: 1, text: '{"__proto__":1}' }];
    await put(get(), [run({ error, notes })]);

    expect(await storedRun(get(), run().id)).toEqual(run({ error, notes }));
  });

  test('a run of nearly 1 MB is kept', async () => {
    const output = JSON.stringify('y'.repeat(900_000));
    await put(get(), [run({ output })]);

    expect((await get().getRun(run().id))?.output).toBe(output);
  });

  test('an update replaces the named fields whole, and no other', async () => {
    const range = { from: 1, to: 2, count: 3, atLeast: false };
    await put(get(), [run({ range, notes: [{ at: 1, text: 'a' }], output: '1' })]);

    await update(get(), run().id, { state: 'succeeded', notes: [{ at: 2, text: 'b' }] });

    const notes = [{ at: 2, text: 'b' }];
    expect(await storedRun(get(), run().id)).toEqual(
      run({ range, notes, state: 'succeeded', output: '1' }),
    );
    expect((await get().listRuns({ limit: 9, states: ['running'] })).runs).toEqual([]);
    expect((await get().listRuns({ limit: 9, states: ['succeeded'] })).runs).toHaveLength(1);
  });

  test('a late result is added and changes nothing else', async () => {
    await put(get(), [run({ state: 'lost' })]);
    const late = {
      attemptId: 'a1',
      outcome: 'succeeded',
      output: '1',
      error: null,
      notes: ['x'],
    } as const;

    await get().saveLateResult(run().id, { ...late, at: STAMP });

    const { lateResult, ...rest } = (await storedRun(get(), run().id))!;
    expect({ ...rest, lateResult: null }).toEqual(run({ state: 'lost' }));
    expect(lateResult).toEqual({ ...late, at: expect.any(Number) });
    expect(lateResult?.at).toBeGreaterThan(0);
  });

  test('a late result of a run that is gone is passed over', async () => {
    const bare = { output: null, error: null, notes: [], at: 5 } as const;
    const late = { attemptId: 'a1', outcome: 'failed', ...bare } as const;

    await get().saveLateResult('gone', late);

    expect(await get().getRun('gone')).toBeUndefined();
  });
}

/** 24 runs of two jobs, three states and two triggers, two at every instant. */
const MANY: readonly Run[] = Array.from({ length: 24 }, (_, i) =>
  run({
    id: `r${String(i).padStart(2, '0')}`,
    job: i % 3 === 0 ? 'other' : 'nightly-report',
    state: (['succeeded', 'failed', 'lost'] as const)[i % 4] ?? 'failed',
    trigger: i % 5 === 0 ? 'manual' : 'schedule',
    at: 1000 + Math.floor(i / 2),
  }),
);

const FILTERS: readonly Omit<RunQuery, 'limit'>[] = [
  {},
  { job: 'other' },
  { states: ['failed'] },
  { states: ['lost', 'failed'] },
  { states: ['failed', 'failed'] },
  { states: RUN_STATES },
  { states: [] },
  { trigger: 'manual' },
  { trigger: 'schedule' },
  { job: 'nightly-report', states: ['failed'] },
  { job: 'nightly-report', states: ['failed', 'queued', 'succeeded'] },
  { states: ['lost', 'succeeded'], trigger: 'manual', since: 1002, until: 1009 },
  { job: 'nightly-report', trigger: 'manual' },
  { states: ['failed'], trigger: 'schedule' },
  { job: 'nightly-report', states: ['succeeded'], trigger: 'schedule' },
  { job: 'nightly-report', states: ['succeeded', 'lost'], trigger: 'schedule' },
  { since: 1002 },
  { until: 1007 },
  { since: 1002, until: 1007, job: 'nightly-report' },
  { since: 1007, until: 1002 },
  { since: -Infinity, until: Infinity },
  { since: 1e300 },
  { job: 'nobody' },
];

const expected = (filter: Omit<RunQuery, 'limit'>): string[] =>
  MANY.filter(
    ({ job, state, trigger, at }) =>
      (filter.job ?? job) === job &&
      (filter.states ?? [state]).includes(state) &&
      (filter.trigger ?? trigger) === trigger &&
      at > (filter.since ?? -Infinity) &&
      at <= (filter.until ?? Infinity),
  )
    .toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);

function listing(get: () => Store): void {
  test.for(FILTERS)('a listing by %o has each match once, newest first, over pages', async (by) => {
    await put(get(), MANY);

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await get().listRuns({ ...by, limit: 5, ...(cursor && { cursor }) });
      expect(page.runs.length).toBeLessThanOrEqual(5);
      seen.push(...page.runs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);

    expect(seen).toEqual(expected(by));
  });

  test('a run that is added while somebody pages does not shift the pages', async () => {
    await put(get(), MANY);
    const first = await get().listRuns({ limit: 5 });
    await put(get(), [run({ id: 'newest', at: 9999 })]);

    const second = await get().listRuns({ limit: 5, cursor: first.cursor! });

    expect(second.runs.map(({ id }) => id)).toEqual(expected({}).slice(5, 10));
  });

  test.for([
    {},
    { job: 'nightly-report' },
    { states: ['failed'] },
    { states: ['lost', 'succeeded'], trigger: 'schedule', until: 1009 },
  ] as const)(
    'runs that are skipped count as passed, on any page of a listing by %o',
    async (by) => {
      await put(get(), MANY);
      const all = expected(by);

      const first = await get().listRuns({ ...by, skip: 2, limit: 1 });
      const next = await get().listRuns({ ...by, skip: 1, limit: 2, cursor: first.cursor! });

      expect(first.runs.map(({ id }) => id)).toEqual(all.slice(2, 3));
      expect(next.runs.map(({ id }) => id)).toEqual(all.slice(4, 6));
      expect(next.cursor === undefined).toBe(all.length <= 6);
    },
  );

  test('with as many skipped as there are, or more, there is no page and no cursor', async () => {
    await put(get(), MANY);
    const none = { runs: [], cursor: undefined };
    const by = { job: 'other', limit: 5 } as const;
    const count = expected(by).length;

    expect((await get().listRuns({ ...by, skip: count - 1 })).runs).toHaveLength(1);
    expect(await get().listRuns({ ...by, skip: count })).toEqual(none);
    expect(await get().listRuns({ ...by, skip: 1e6 })).toEqual(none);
  });

  test('the last page has no cursor, even when it is full', async () => {
    await put(get(), MANY);

    const page = await get().listRuns({ limit: 24 });

    expect(page.runs).toHaveLength(24);
    expect(page.cursor).toBeUndefined();
  });

  test('a forged cursor, and one of another listing, are refused', async () => {
    await put(get(), MANY);
    const { cursor } = await get().listRuns({ limit: 5, job: 'other' });
    const forged = [
      '',
      '!',
      'e30',
      Buffer.from('[1,"r01"]').toString('base64url'),
      'x'.repeat(9999),
      `${cursor!.slice(0, 8)}AAAA${cursor!.slice(12)}`,
    ];

    for (const bad of forged) {
      const listed = get().listRuns({ limit: 5, job: 'other', cursor: bad });
      await expect(listed).rejects.toMatchObject({ name: 'BadCursor' });
    }
    for (const states of [['failed'], ['failed', 'lost'], RUN_STATES] as const) {
      const others = get().listRuns({ limit: 5, job: 'other', states, cursor: cursor! });
      await expect(others).rejects.toMatchObject({ name: 'BadCursor' });
    }
    const elsewhere = get().listRuns({ limit: 5, job: 'nightly-report', cursor: cursor! });
    await expect(elsewhere).rejects.toMatchObject({ name: 'BadCursor' });
  });
}

function deleting(get: () => Store): void {
  test('runs are deleted with their logs, and unknown ids are passed over', async () => {
    await put(get(), MANY);
    await get().appendLog(logChunk({ runId: 'r03' }));
    await get().appendLog(logChunk({ runId: 'r04' }));

    await get().deleteRuns(['r03', 'unknown', 'r05']);

    expect(await get().getRun('r03')).toBeUndefined();
    expect(await get().readLog('r03', 0, 9)).toEqual([]);
    expect(await get().readLog('r04', 0, 9)).toHaveLength(1);
    expect((await get().listRuns({ limit: 100 })).runs).toHaveLength(22);
  });

  test('more runs than fit one write are deleted too', async () => {
    const many = Array.from({ length: 1100 }, (_, i) => run({ id: `m${i}` }));
    for (let i = 0; i < many.length; i += 400) await put(get(), many.slice(i, i + 400));

    await get().deleteRuns(many.map(({ id }) => id));

    expect((await get().listRuns({ limit: 1 })).runs).toEqual([]);
  });
}
