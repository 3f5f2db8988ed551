import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../../server/core/job.ts';
import { isFinal } from '../../../server/core/run.ts';
import { wakeAll } from '../../../server/core/wake.ts';
import { schemaVersion, STEPS } from '../../../server/stores/sqlite-schema.ts';
import { contradictions, runsOf } from '../../disk/contradictions.ts';
import { serve } from '../../http/client.ts';
import type { RunJson } from '../../process/server.ts';
import { testClock } from '../../test-clock.ts';
import { openStore } from '../sqlite-fixture.ts';
import { readReleased, releasedNames, SECRET_KEY, type Released } from './released.ts';

/*
 * Databases that released versions left, each by its own code, killed in the middle of its work:
 * this version opens them, knows all that they knew, and goes on. fixtures/ has them; `make.ts`
 * makes more.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LEASE_MS = 30_000;

let jobs: readonly Job[] = [];
beforeAll(async () => {
  process.env['TEST_SHARE'] = '0';
  jobs = (await import('./jobs.ts')).default;
});

/** In memory where that is possible: thousands of commits need not wait for a disk. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Lays the files down as they were left. */
function lay({ db, wal }: Released): string {
  const folder = mkdtempSync(join(PLACE, 'punctual-upgrade-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'punctual.db');
  writeFileSync(path, db);
  writeFileSync(`${path}-wal`, wal);
  return path;
}

/** This version's whole service on them, some hours after they were left. */
async function opened(released: Released, hours = 2) {
  const path = lay(released);
  const clock = testClock(released.killedAt + hours * HOUR);
  const env = { PUNCTUAL_SECRET_KEY: SECRET_KEY, PUNCTUAL_LEASE_MS: `${LEASE_MS}` };
  const served = await serve(jobs, { path, clock, env });
  onTestFinished(() => served.service.store.close());
  const runOf = async (id: string): Promise<RunJson> =>
    (await served.ask('GET', `/api/v1/runs/${encodeURIComponent(id)}`)).body as RunJson & {};
  return { ...served, path, clock, runOf };
}

const onlyOf = ({ runs }: Released, job: string, state: string): RunJson[] =>
  runs.filter((run) => run.job === job && run.state === state);

describe.each(releasedNames())('what version %s left', (name) => {
  const released = readReleased(name);

  test('is opened whole, in the present schema, and says nothing against itself', async () => {
    const path = lay(released);
    const before = new DatabaseSync(path, { readOnly: true });
    const version = schemaVersion(before);
    before.close();

    const store = openStore({ path, clock: testClock(released.killedAt + HOUR) });
    const found = await contradictions(store);
    await store.close();

    const db = new DatabaseSync(path, { readOnly: true });
    expect(version).toBeLessThanOrEqual(STEPS.length);
    expect(schemaVersion(db)).toBe(STEPS.length);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(found).toEqual([]);
    db.close();
  });

  test('is told as that version told it: runs, logs, what people did', async () => {
    const { ask, runOf } = await opened(released);

    const { runs } = (await ask('GET', '/api/v1/runs?limit=500')).body as { runs: RunJson[] };
    const whole = await Promise.all(kindsOf(released).map(({ id }) => runOf(id)));
    const talks = onlyOf(released, 'talks', 'succeeded')[0]!;
    const log = await ask('GET', `/api/v1/runs/${encodeURIComponent(talks.id)}/log`);
    const paused = await ask('GET', '/api/v1/jobs/pauses');
    const actions = await ask('GET', '/api/v1/actions?limit=500');

    // It was at work for a moment longer after it told this.
    const final = released.runs.filter(({ state }) => isFinal(state as never));
    const now = new Map(runs.map((run) => [run.id, run]));
    expect(final.map(({ id }) => gist(now.get(id)!))).toEqual(final.map(gist));
    expect(released.runs.filter(({ id }) => !now.has(id))).toEqual([]);
    expect(whole.find(({ id }) => id === talks.id)).toMatchObject({
      input: { why: 'for the fixture', list: [1, 'ü', null] },
      output: { lines: 300, deep: { a: [1, null, 'ü'] } },
    });
    expect(whole.filter(({ lateResult }) => lateResult !== null).map(({ job }) => job)).toEqual([
      'late',
    ]);
    expect(linesIn(log.text)).toEqual(linesIn(released.log));
    expect(linesIn(log.text).length).toBe(300);
    expect(paused.body?.['paused'].note).toBe('a note, with <b>marks</b> & ümläuts');
    const deeds = actions.body?.['actions'].map((one: { action: string }) => one.action);
    expect(deeds).toEqual(expect.arrayContaining(['pause', 'resume', 'cancel']));
  });

  test('is shown on every page', async () => {
    const { ask } = await opened(released);
    const paths = [
      '/',
      '/runs',
      '/timeline',
      '/system',
      '/actions',
      ...released.jobs.map((job) => `/jobs/${job.name}`),
      ...kindsOf(released).map(({ id }) => `/runs/${encodeURIComponent(id)}`),
    ];

    const pages = await Promise.all(paths.map((path) => ask('GET', path)));

    const wrong = pages.map(({ status, text }, i) => [paths[i], status, /damaged/i.test(text)]);
    expect(wrong).toEqual(paths.map((path) => [path, 200, false]));
  });

  test('goes on: what was at work is found out, what waited runs, and nothing is lost', async () => {
    const { service, ask, runOf } = await opened(released);
    const { clock, deps, store } = service;
    // Handlers need real time, and what meets another's commit waits a moment by the clock.
    const untilOver = async (): Promise<void> => {
      for (let n = 0; n < 1000 && deps.runner.running > 0; n += 1) {
        await clock.advance(10);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const turn = async (ms: number): Promise<void> => {
      await clock.advance(ms);
      await wakeAll(deps, { aheadMs: 0, thorough: true });
      await untilOver();
    };

    // On another machine nothing is decided before its clock has stood for a lease.
    for (const ms of [LEASE_MS, 1000, 1000, MINUTE]) await turn(ms);
    for (const job of jobs.filter((one) => one.input === undefined)) {
      await ask('POST', `/api/v1/jobs/${job.name}/runs`);
    }
    await untilOver();
    for (const ms of [MINUTE, MINUTE, 30_000]) await turn(ms);

    const [lost, retried] = ['is-lost', 'is-retried'].map((job) =>
      onlyOf(released, job, 'running'),
    );
    const outcomes = async (runs: readonly RunJson[] = []) =>
      (await runOf(runs[0]!.id)).attempts.map(({ outcome }) => outcome);
    expect(await outcomes(lost)).toEqual(['lost']);
    expect(await outcomes(retried)).toEqual(['lost', 'succeeded']);
    const waited = released.runs.filter(
      ({ state }) => state === 'queued' || state === 'retry_wait',
    );
    const after = await Promise.all(waited.map(({ id }) => runOf(id)));
    expect(new Set(waited.map(({ job }) => job))).toEqual(new Set(['hand', 'waits-for-retry']));
    for (const { id, state } of after) expect([id, isFinal(state as never)]).toEqual([id, true]);
    const started = { limit: 1, states: ['succeeded', 'failed', 'retry_wait'] as const };
    for (const { name: job } of jobs.filter((one) => one.input === undefined)) {
      const { runs } = await store.listRuns({ job, ...started });
      expect([job, (runs[0]?.createdAt ?? 0) > released.killedAt]).toEqual([job, true]);
    }
    // What is secret in its input is there to be opened, too.
    for (const { id } of onlyOf(released, 'secretive', 'succeeded')) {
      const rerun = await ask('POST', `/api/v1/runs/${encodeURIComponent(id)}/reruns`);
      await untilOver();
      expect((await runOf(rerun.body?.['id'])).output).toEqual({ length: 16 });
    }
    const filled = (await runsOf(store, 'filled')).filter(isBackfilled);
    expect(filled.length).toBe(released.runs.some(isBackfilled) ? 6 : 0);
    expect(await contradictions(store)).toEqual([]);
  });

  test('knows the keys that were used: one key stays one run', async () => {
    const { ask } = await opened(released);
    const talks = onlyOf(released, 'talks', 'succeeded')[0]!;
    const asks = (input: unknown) =>
      ask('POST', '/api/v1/jobs/talks/runs', {
        headers: { 'Idempotency-Key': 'talks', 'Content-Type': 'application/json' },
        body: JSON.stringify({ input }),
      });

    const same = await asks({ why: 'for the fixture', list: [1, 'ü', null] });
    const other = await asks({ why: 'for something else' });

    expect([same.status, same.body?.['id']]).toEqual([202, talks.id]);
    expect(same.headers.get('Idempotent-Replayed')).toBe('true');
    expect(other.status).toBe(422);
  });
});

const isBackfilled = ({ trigger }: { readonly trigger: string }): boolean => trigger === 'backfill';

/** One run of each job and state. */
const kindsOf = ({ runs }: Released): RunJson[] => [
  ...new Map(runs.map((run) => [`${run.job} ${run.state} ${run.reason}`, run])).values(),
];

/** Of a run what versions tell alike. */
const gist = (run: RunJson) => ({
  id: run.id,
  state: run.state,
  reason: run.reason,
  scheduledAt: run.scheduledAt,
  range: run.range,
  error: run.error && { name: run.error.name, message: run.error.message },
});

/** The texts of a log that the handler wrote. */
const linesIn = (answer: string): string[] =>
  [...answer.matchAll(/line \d+ (?:of many )+/g)].map(([line]) => line);
