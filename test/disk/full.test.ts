import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { systemClock } from '../../server/process/clock.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { tempFolder, until, type RunJson } from '../process/server.ts';
import { contradictions, runsOf } from './contradictions.ts';
import { limitedGround, smallGround, whyNoSmallGround, type Ground } from './ground.ts';
import { GO } from './jobs.ts';
import { launchWithin, startWithin, urlIn, type Answer, type ServerWithin } from './server.ts';

/** A disk that is full, and has room again: real servers on real files. */

const JOBS = new URL('./jobs.ts', import.meta.url).pathname;

const GROUNDS: Readonly<Record<string, (context: TestContext) => Promise<Ground>>> = {
  'whose files may not grow (EFBIG)': async () => limitedGround(tempFolder()),
  'that is full (ENOSPC)': smallOrSkipped,
};

/** Skips the test where nothing can be mounted, and says why. */
async function smallOrSkipped({ skip }: TestContext): Promise<Ground> {
  const folder = join(tempFolder(), 'small');
  mkdirSync(folder);
  const why = whyNoSmallGround(folder);
  if (why !== undefined) {
    process.stdout.write(`${why}: what happens on a disk that is full is left out\n`);
    skip(why);
  }
  return await smallGround(folder);
}

const envOf = (ground: Ground, go: string): Record<string, string> => ({
  PUNCTUAL_DB: join(ground.folder, 'punctual.db'),
  PUNCTUAL_JOBS: JOBS,
  PUNCTUAL_LEASE_MS: '60000',
  TEST_FOLDER: go,
});

const detail = ({ text }: Answer): string => JSON.parse(text).detail as string;
const idOf = ({ text }: Answer): string => (JSON.parse(text) as RunJson).id;
const isWell = async (server: ServerWithin) => (await server.ask('/healthz')).status === 200;

/** What is on record, when no server is at work: against itself, and against what handlers told. */
async function judged(ground: Ground, servers: readonly ServerWithin[]): Promise<string[]> {
  const path = join(tempFolder(), 'punctual.db');
  for (const end of ['', '-wal']) {
    const from = join(ground.reached, `punctual.db${end}`);
    if (existsSync(from)) copyFileSync(from, path + end);
  }
  const { clock, log } = { clock: systemClock, log: () => undefined };
  const store = openSqliteStore({ path, clock, leaseMs: 60_000, regressionMs: 5000, log });
  const found = await contradictions(store);
  const jobs = await store.listJobs({ limit: 100 });
  const runs = (await Promise.all(jobs.map(({ name }) => runsOf(store, name)))).flat();
  await store.close();
  const told = servers.flatMap((server) => server.told());
  const times = (word: string, run: string, n: number): number =>
    told.filter((one) => one.word === word && one.run === run && one.attempt === n).length;
  for (const { run, attempt } of told.filter(({ word }) => word === 'begin')) {
    const attempts = runs.find(({ id }) => id === run)?.attempts ?? [];
    if (!attempts.some(({ n }) => n === attempt)) found.push(`${run} began, and is not on record`);
    if (times('begin', run, attempt) > 1) found.push(`${run} began twice`);
  }
  for (const { id, state, attempts } of runs) {
    if (state === 'succeeded' && times('end', id, attempts.length) !== 1)
      found.push(`${id} succeeded, and its handler did not end`);
  }
  return found;
}

describe.each(Object.entries(GROUNDS))('a disk %s', (_what, make) => {
  test('is told of, binds runs by their leases, and with room again all goes on by itself', async (context) => {
    const ground = await make(context);
    const folder = tempFolder();
    const env = envOf(ground, folder);
    const server = await startWithin(ground.within, env);
    const patient = idOf(await server.post('patient', 'patient'));
    const lost = idOf(await server.post('soon-lost', 'soon-lost'));
    await until(async () => server.told().filter(({ word }) => word === 'end').length >= 2, 30_000);

    ground.fill(server.pid);
    const refusing = server.post('by-hand', 'while-full');
    const waiting = server.post('patient', 'patient', 4);
    const said = (word: string, run: string) => async () =>
      server.told().some((one) => one.word === word && one.run === run);
    await until(said('lease_lost', lost), 30_000);
    const logged = (await server.ask(`/api/v1/runs/${encodeURIComponent(patient)}/log`)).text;
    writeFileSync(join(folder, GO), '');
    await until(said('end', patient), 30_000);
    const [refused, waited] = await Promise.all([refusing, waiting]);
    const health = await server.ask('/healthz');
    const [jobs, system, api] = await Promise.all(
      ['/', '/system', '/api/v1/system'].map((path) => server.ask(path)),
    );
    const meanwhile = await server.run(patient);
    const startedWhileFull = server.told().length;
    ground.free(server.pid);
    const done = await until(async () => {
      const run = await server.run(patient);
      return run.state !== 'running' && run;
    }, 30_000);
    await until(() => isWell(server), 30_000);
    const again = await server.post('by-hand', 'while-full', 5);
    const other = await until(async () => {
      const run = await server.run(lost);
      return run.state !== 'running' && run;
    }, 30_000);
    await until(async () => server.told().length >= startedWhileFull + 4, 30_000);
    const log = (await server.ask(`/api/v1/runs/${encodeURIComponent(patient)}/log`)).text;
    const after = await server.ask('/system');
    const status = await server.end('SIGTERM');

    expect(refused.status).toBe(503);
    expect(detail(refused)).toMatch(
      /^the store can't be used: its disk (fails|is full); try again/,
    );
    expect(health.status).toBe(503);
    expect(jobs?.text).toMatch(/The store can’t be written\s+at present/);
    expect(system?.text).toMatch(/The store can’t be written: the database .*punctual\.db/);
    expect(JSON.parse(api?.text ?? '').store.trouble).toMatch(/punctual\.db.* (disk|space)/);
    // Its handler has returned, and nobody may say so before it is on record.
    expect([waited.status, JSON.parse(waited.text).state]).toEqual([202, 'running']);
    expect(meanwhile).toMatchObject({ state: 'running', output: null });
    expect(done).toMatchObject({ state: 'succeeded', output: { done: true } });
    expect(other.attempts.map(({ outcome }) => outcome)).toEqual([
      other.state === 'lost' ? 'lost' : 'failed',
    ]);
    expect(JSON.parse(again.text)).toMatchObject({ state: 'succeeded' });
    expect(linesOf(log).length).toBeGreaterThan(linesOf(logged).length);
    expect(linesOf(log)).toEqual(linesOf(log).map((_, n) => n));
    expect(after.text).not.toContain('can’t be written');
    expect(status).toBe(0);
    expect(await judged(ground, [server])).toEqual([]);
  }, 120_000);
});

test('a server that is stopped while its disk is full loses nothing that was on record', async (context) => {
  const ground = await smallOrSkipped(context);
  const env = { ...envOf(ground, tempFolder()), PUNCTUAL_LEASE_MS: '2000' };
  const first = await startWithin(ground.within, env);
  const patient = idOf(await first.post('patient', 'patient'));
  await until(async () => first.told().filter(({ word }) => word === 'end').length >= 2, 30_000);
  // The last one may be at work just then.
  const before = (await first.runs('job=each-second')).filter(({ state }) => state !== 'running');

  ground.fill(first.pid);
  const stopped = await first.end('SIGTERM');
  const refused = await startWithin(ground.within, env);
  const status = await refused.ended;
  ground.free(first.pid);
  const second = await startWithin(ground.within, env);
  const found = await until(async () => {
    const run = await second.run(patient);
    return run.state !== 'running' && run;
  }, 30_000);
  const runs = await second.runs('job=each-second');
  const ended = await second.end('SIGTERM');
  ground.fill(second.pid);
  // Nothing stands beside the file by now, and there is no room for it to be made.
  const third = await startWithin(ground.within, env);
  const statuses = [stopped, status, ended, await third.ended];
  ground.free(second.pid);

  expect(statuses).toEqual([0, 1, 0, 1]);
  for (const server of [refused, third]) {
    expect(server.output()).toMatch(
      /^Punctual can't start:\n  the database .*punctual\.db .*its disk is full; free some space/,
    );
  }
  expect(found).toMatchObject({ state: 'lost', attempts: [{ n: 1, outcome: 'lost' }] });
  const kept = new Map(runs.map((run) => [run.id, run.state]));
  expect(before.map(({ id, state }) => [id, state, kept.get(id)])).toEqual(
    before.map(({ id, state }) => [id, state, state]),
  );
  expect(await judged(ground, [first, second])).toEqual([]);
}, 120_000);

test('a server whose files may not grow does not start, and says what may be the reason', async () => {
  const ground = limitedGround(tempFolder());
  const limited = ['sh', '-c', 'ulimit -f 0; exec "$0" "$@"'];

  const server = await startWithin(limited, envOf(ground, tempFolder()));

  expect(await server.ended).toBe(1);
  expect(server.output()).toMatch(
    /^Punctual can't start:\n  the database .*: its disk fails .* or a limit is set on the size of/,
  );
});

test('a log that goes to the full disk is lost, and goes on with room; the server never stops', async () => {
  const ground = limitedGround(tempFolder());
  const path = join(ground.folder, 'log');
  const written = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const out = openSync(path, 'a');
  const { child, ended } = launchWithin([], envOf(ground, tempFolder()), out);
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await until(async () => urlIn(written()), 20_000);
  const status = async (): Promise<number> => (await fetch(`${url}/healthz`)).status;
  const logsTried = async (): Promise<number> =>
    JSON.parse(await (await fetch(`${url}/api/v1/system`)).text()).calls['write a log'] ?? 0;
  await fetch(`${url}/api/v1/jobs/patient/runs`, { method: 'POST' });
  await until(async () => (await logsTried()) > 0, 30_000);

  ground.fill(child.pid ?? NaN);
  await until(async () => (await status()) === 503, 30_000);
  const tried = await logsTried();
  // That a run's log was not saved goes to the log, each time.
  await until(async () => (await logsTried()) > tried + 1, 30_000);
  const full = written().length;
  ground.free(child.pid ?? NaN);
  await until(async () => (await status()) === 200, 30_000);
  await until(async () => written().slice(full).includes('attempt_ended'), 30_000);
  child.kill('SIGTERM');

  expect(await ended).toBe(0);
}, 120_000);

/** The numbers of the lines that the handler wrote. */
const linesOf = (log: string): number[] =>
  [...log.matchAll(/line (\d+)/g)].map(([, n]) => Number(n));
