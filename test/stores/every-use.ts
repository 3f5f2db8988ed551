import { expect } from 'vitest';
import type { Handler } from '../../server/core/job.ts';
import { auditStore } from '../../server/core/audit.ts';
import { RUN_STATES } from '../../server/core/run.ts';
import type { RunQuery, Store } from '../../server/core/store.ts';
import { ENDPOINTS } from '../../server/http/api/endpoints.ts';
import { checkBackup } from '../../server/stores/sqlite-backup.ts';
import { sealDatabase, unsealDatabase } from '../../server/stores/sqlite-seal.ts';
import type { SqliteStore } from '../../server/stores/sqlite.ts';
import { action, commit, jobRecord, lease, logChunk, run } from '../builders.ts';
import { json, serve, type Ask } from '../http/client.ts';
import { pruneJob } from '../prune-job.ts';
import { byHand, job } from '../service.ts';
import { TEST_START, testClock } from '../test-clock.ts';
import { openStore } from './sqlite-fixture.ts';

/*
 * All that the SQLite store is ever used for: by a service that lives for some days, by whoever
 * looks at it and clicks, by what looks after the file, and by each call of its own.
 */

const DAY = 86_400_000;
const quiet = new AbortController().signal;

export async function everyUse(path: string): Promise<void> {
  await service(path);
  await operator(path);
  await calls(openStore({ path, clock: testClock(TEST_START + 30 * DAY) }));
}

/** Runs are due, fail, are tried again, are asked for and cancelled; every page is looked at. */
async function service(path: string): Promise<void> {
  const jobs = [
    job({ name: 'works', run: ({ log }) => log('hello') }),
    job({
      name: 'fails',
      schedule: '0 * * * *',
      retry: { attempts: 2 },
      run: () => Promise.reject(new Error('503')),
    }),
    byHand({ name: 'by-hand', overlap: 'queue', run: untilCancelled }),
  ];
  const { service: it, ask } = await serve(jobs, { path });
  for (const at of ['00:01:00', '00:02:00', '01:00:00', '01:00:30', '03:00:00', '23:00:00']) {
    await it.wake(at);
  }
  for (const key of ['key', 'key', 'other'])
    await ask('POST', '/api/v1/jobs/by-hand/runs', keyed(key));
  await ask('PUT', '/api/v1/jobs/works/pause', json({ note: 'a rest' }));
  await ask('DELETE', '/api/v1/jobs/works/pause');
  const span = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T02:00:00Z' };
  await ask('POST', '/api/v1/jobs/fails/backfills', json(span));
  await it.settle();
  await look(it.store, ask);
  for (const { id } of await it.runs('by-hand')) await ask('POST', `/api/v1/runs/${id}/cancel`);
  await it.clock.advance(4 * DAY);
  await it.settle();
  const policy = { maxAgeMs: 2 * DAY, maxRuns: 2 };
  for (const name of ['works', 'fails']) await pruneJob(it.deps, name, policy, quiet);
  await auditStore(it.store);
  await it.store.close();
}

const keyed = (key: string): RequestInit => ({ headers: { 'Idempotency-Key': key } });

const untilCancelled: Handler = ({ signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

const FILTERS = ['', 'state:problem', 'job:works trigger:schedule since:2d', 'text:503 until:1h'];

async function look(store: Store, ask: Ask): Promise<void> {
  const { runs } = await store.listRuns({ job: 'fails', limit: 1 });
  const id = encodeURIComponent(runs[0]?.id ?? '');
  const pages = ['/', '/timeline', '/actions', '/system', `/runs/${id}`, `/runs/${id}/log`];
  const ofJob = ['', '?state=failed', '/backfill'].map((rest) => `/jobs/fails${rest}`);
  const filtered = FILTERS.map((q) => `/runs?${new URLSearchParams({ q }).toString()}`);
  const api = ENDPOINTS.filter(({ method }) => method === 'GET').map(
    ({ path }) => `/api/v1${path.replace('{name}', 'fails').replace('{id}', id)}`,
  );
  for (const path of [...pages, ...ofJob, ...filtered, ...api, '/health', '/metrics']) {
    const { status } = await ask('GET', path);
    expect([path, status < 500]).toEqual([path, true]);
  }
}

/** What is done to a file and its copy by commands. */
async function operator(path: string): Promise<void> {
  const store = openStore({ path, clock: testClock(TEST_START + 2 * DAY) });
  await store.backup(`${path}.copy`);
  checkBackup(`${path}.copy`);
  await store.resetClock('ada');
  await store.close();
  sealDatabase(path, { to: 'elsewhere', at: 'noon' });
  await openStore({ path, sealed: true }).close();
  unsealDatabase(path);
}

const SPEC = { schedule: '* * * * *', timeZone: 'UTC', zoneData: '2025c', build: 'build-1' };

/** Every call of a store, in every form of what it can be asked with. */
async function calls(store: SqliteStore): Promise<void> {
  const made = await store.commit(
    commit(jobRecord({ name: 'a', nextActionAt: 5, active: { a1: lease() } }), {
      create: [run({ id: 'a@1', job: 'a' })],
      specs: [{ ...SPEC, job: 'a', from: 1 }],
    }),
  );
  if (made.kind !== 'ok') throw new Error(made.kind);
  const { version } = made;
  const asked = commit(jobRecord({ name: 'a' }), { version });
  const [soon, moved] = [{ state: 'failed' }, { state: 'failed', at: 7 }] as const;
  const update = [
    { id: 'a@1', set: soon },
    { id: 'a@1', set: moved },
  ];
  await store.commit({ ...asked, update, logs: [logChunk()], actions: [action()] });
  await store.commit({ ...asked, create: [run({ id: 'a@1' })] });
  await store.read('nobody');
  await store.due({ limit: 5, aheadMs: 0 });
  await store.nextActionAfter(5);
  await store.quarantine({ name: 'a', version, until: 5, problem: 'x' });
  const late = { attemptId: 'a', outcome: 'lost', output: null, error: null, at: 5 } as const;
  await store.saveLateResult('a@1', { ...late, notes: [] });
  for (const query of [{}, { after: 'a' }, { changedSince: 5 }]) {
    await store.listJobs({ limit: 5, ...query });
  }
  await store.listSpecs('a');
  await store.appendLog(logChunk({ n: 1, keepFrom: 1 }));
  await store.readLog('a', 0, 5);
  await store.readLogEnd('a', { from: 0, before: 5, limit: 5 });
  await store.recordAction(action({ id: 'x' }));
  for (const query of [{}, { job: 'a' }]) await store.listActions({ limit: 1, ...query });
  for (const query of runQueries()) await store.listRuns(query);
  const { cursor } = await store.listRuns({ limit: 1 });
  await store.listRuns({ limit: 1, ...(cursor !== undefined && { cursor }) });
  for (const version of [undefined, '1']) await store.writeMeta('a', 1, version);
  await store.readMeta('a');
  await store.deleteRuns(['a@1']);
  await store.time();
  await store.ping();
  store.othersWrote();
  await fileMany(store);
}

/** Enough runs that some of them are filed. */
async function fileMany(store: Store): Promise<void> {
  for (let i = 0; i < 4; i += 1) {
    const { version } = await store.read('many');
    const create = Array.from({ length: 60 }, (_, k) => run({ id: `many@${i}-${k}`, job: 'many' }));
    await store.commit(commit(jobRecord({ name: 'many' }), { version, create }));
  }
}

/** Each choice of what can be asked of a listing, with one state, several and all of them. */
export function runQueries(): RunQuery[] {
  const parts: readonly Partial<RunQuery>[][] = [
    [{}, { job: 'a' }],
    [{}, { trigger: 'schedule' }, { trigger: 'manual' }, { trigger: 'backfill' }],
    [{}, { states: ['failed'] }, { states: ['failed', 'lost'] }, { states: RUN_STATES }],
    [{}, { since: 1 }],
    [{}, { until: 2 }],
    [{}, { skip: 3 }],
  ];
  return parts.reduce<RunQuery[]>(
    (queries, choices) => queries.flatMap((one) => choices.map((part) => ({ ...one, ...part }))),
    [{ limit: 5 }],
  );
}
