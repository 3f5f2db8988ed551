import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { registerJobs } from '../../server/core/register.ts';
import { readRegistry } from '../../server/core/registry.ts';
import type { Job, JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { runNow } from '../../server/core/run-now.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { makeService } from '../../server/service.ts';
import { storeClock } from '../../server/stores/sqlite-clock.ts';
import { Connection } from '../../server/stores/sqlite-connection.ts';
import { openDatabase } from '../../server/stores/sqlite-file.ts';
import { SqliteStore } from '../../server/stores/sqlite.ts';
import { byHand, job, tempDb } from '../service.ts';
import { testClock } from '../test-clock.ts';
import { contradictions } from './contradictions.ts';

/*
 * A database that may have no page more than it has (`PRAGMA max_page_count`): what still fits into
 * its pages is stored, and what does not is refused by SQLite before anything is written.
 */

const LEASE_MS = 90_000;

async function openLimited(jobs: readonly Job[]) {
  const path = tempDb();
  const clock = testClock();
  const logged: string[] = [];
  const log = (_level: string, event: string): void => void logged.push(event);
  const connection = new Connection(openDatabase(path), path, clock);
  const policy = { leaseMs: LEASE_MS, regressionMs: 5000 };
  const time = storeClock(connection, { clock, boot: 'boot', log, ...policy });
  const store = new SqliteStore(connection, time);
  connection.stopBlocking();
  onTestFinished(() => store.close());
  const config = readConfig({ PUNCTUAL_BUILD: 'test', PORT: '0' }, '/', 0);
  const registry = readRegistry(jobs, config.timing, config.pace);
  const { deps, timer } = makeService(config, { registry, store, clock, log });
  await registerJobs(deps, { adopt: false, check: true });
  const pragma = (sql: string): number => Number(Object.values(connection.get(sql) ?? {})[0]);
  return {
    deps,
    timer,
    store,
    clock,
    logged,
    fill: () => void pragma(`PRAGMA max_page_count = ${pragma('PRAGMA page_count')}`),
    free: () => void pragma('PRAGMA max_page_count = 1000000'),
    readOnly: (on: boolean) => connection.db.exec(`PRAGMA query_only = ${on}`),
    ask: (name: string, key: string, input: unknown) => {
      const asked = { key, input, beside: false, rerunOf: null, by: null, traceparent: null };
      return runNow(deps, deps.registry.get(name)!, asked);
    },
    async only(): Promise<Run> {
      const { runs } = await store.listRuns({ limit: 2 });
      expect(runs.length).toBe(1);
      return runs[0]!;
    },
  };
}

const LONG = 'x'.repeat(20_000);

/** A handler that a test ends when it likes. */
function handled() {
  let end: (output: unknown) => void = () => undefined;
  const starts: JobContext[] = [];
  const run = async (context: JobContext): Promise<unknown> => {
    starts.push(context);
    const stopped = new Promise((_, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason)),
    );
    return await Promise.race([new Promise((resolve) => (end = resolve)), stopped]);
  };
  return { run, starts, end: (output: unknown) => end(output) };
}

test('a run that finds no room is refused as surely not begun, and begins once when there is', async () => {
  const handler = handled();
  const limited = await openLimited([byHand({ run: handler.run })]);

  limited.fill();
  const asking = limited.ask('job', 'key', { text: LONG });
  await limited.clock.advance(20_000);
  const refused = await asking;
  const trouble = limited.deps.store.trouble;
  limited.free();
  const done = await limited.ask('job', 'key', { text: LONG });
  const again = await limited.ask('job', 'key', { text: LONG });

  expect(refused).toMatchObject({ kind: 'unavailable', cause: { why: 'its disk is full' } });
  expect(trouble).toMatch(
    /punctual-test.* can't grow, for its disk is full; free some space there/,
  );
  expect(limited.deps.store.trouble).toBe(null);
  expect([done.kind, again.kind]).toEqual(['created', 'replayed']);
  await limited.clock.advance(0);
  expect(handler.starts.length).toBe(1);
  handler.end(null);
  await limited.clock.advance(1000);
  expect(await contradictions(limited.store)).toEqual([]);
});

test('an end that finds no room is not told before it is on record, which it is minutes later', async () => {
  const handler = handled();
  const limited = await openLimited([byHand({ run: handler.run })]);
  await limited.ask('job', 'key', null);
  await limited.clock.advance(0);

  limited.fill();
  handler.end({ text: LONG });
  await limited.clock.advance(3 * 60_000);
  const meanwhile = await limited.only();
  limited.free();
  await limited.clock.advance(2000);

  // What it holds has run out, but nobody took it away: nobody else has begun.
  expect(meanwhile).toMatchObject({ state: 'running', output: null });
  expect(await limited.only()).toMatchObject({ state: 'succeeded', output: expect.any(String) });
  expect(handler.starts.length).toBe(1);
  expect(await contradictions(limited.store)).toEqual([]);
});

test('beats that find no room leave a handler to its lease, and its end says how that was', async () => {
  const handler = handled();
  const limited = await openLimited([byHand({ run: handler.run })]);
  await limited.ask('job', 'key', null);
  await limited.clock.advance(0);
  const [started] = handler.starts;
  // Its job's record grows with each: no beat fits.
  limited.fill();
  const send = limited.store.commit.bind(limited.store);
  limited.store.commit = (order) =>
    send({
      ...order,
      logs: order.op === 'renew' ? [chunkOf(order.about ?? '')] : order.logs,
    });

  await limited.clock.advance(LEASE_MS - 5000 - 1);
  const before = started?.signal.aborted;
  await limited.clock.advance(1);
  const after = String(started?.signal.reason);
  limited.free();
  await limited.clock.advance(5000);

  expect([before, after]).toEqual([false, expect.stringMatching(/lease/)]);
  expect(await limited.only()).toMatchObject({ state: 'failed', attempts: [{ n: 1 }] });
  expect(handler.starts.length).toBe(1);
  expect(await contradictions(limited.store)).toEqual([]);
});

const chunkOf = (runId: string) => ({
  runId,
  n: 900_000,
  first: 0,
  lines: [{ at: 0, level: 'info' as const, text: LONG, fields: null }],
  progress: null,
  keepFrom: 0,
});

test('lines that find no room are kept, in order, until there is', async () => {
  const handler = handled();
  const limited = await openLimited([byHand({ run: handler.run })]);
  await limited.ask('job', 'key', null);
  await limited.clock.advance(0);

  limited.fill();
  for (let n = 0; n < 5; n += 1) {
    handler.starts[0]?.log(`${n} ${LONG}`);
    await limited.clock.advance(1000);
  }
  const { id } = await limited.only();
  const whileFull = await limited.store.readLog(id, 0, 100);
  limited.free();
  await limited.clock.advance(1000);
  const chunks = await limited.store.readLog(id, 0, 100);

  expect(whileFull).toEqual([]);
  expect(limited.logged.filter((event) => event === 'log_not_saved').length).toBe(5);
  const lines = chunks.flatMap((chunk) => chunk.lines.map(({ text }) => text.slice(0, 1)));
  expect(lines.join('')).toBe('01234');
  handler.end(null);
  await limited.clock.advance(1000);
});

test('occurrences that find no room are decided when there is, each on record once', async () => {
  const limited = await openLimited([job({ schedule: '* * * * *' })]);
  await limited.clock.advance(60_000);
  await wakeAll(limited.deps, { aheadMs: 0, thorough: true });
  await limited.clock.advance(0);

  limited.fill();
  const failures: unknown[] = [];
  for (let minute = 0; minute < 8; minute += 1) {
    await limited.clock.advance(60_000);
    const waking = wakeAll(limited.deps, { aheadMs: 0, thorough: true });
    void waking.catch((error: unknown) => failures.push(error));
    await limited.clock.advance(20_000);
    await limited.clock.advance(0);
  }
  const failed = limited.deps.store.trouble;
  limited.free();
  await limited.clock.advance(60_000);
  await wakeAll(limited.deps, { aheadMs: 0, thorough: true });
  await limited.clock.advance(1000);

  // Some fitted into the pages there were; at some time no more did.
  expect(failures.length).toBeGreaterThan(2);
  expect(String(failed)).toMatch(/its disk is full/);
  expect(limited.deps.store.trouble).toBe(null);
  expect(await contradictions(limited.store)).toEqual([]);
});

test('a service with nothing to do finds out by itself that it can write again', async () => {
  const limited = await openLimited([byHand({})]);
  limited.timer.start();
  await limited.clock.advance(60_000);

  limited.readOnly(true);
  const asking = limited.ask('job', 'key', null);
  await limited.clock.advance(120_000);
  const refused = await asking;
  const trouble = limited.deps.store.trouble;
  limited.readOnly(false);
  await limited.clock.advance(1000);

  expect(refused).toMatchObject({ kind: 'unavailable', cause: { why: 'its file is read-only' } });
  expect(trouble).toMatch(/can't be written; this program must be able to write the file/);
  expect(limited.deps.store.trouble).toBe(null);
  void limited.timer.stop();
  await limited.clock.advance(0);
});
