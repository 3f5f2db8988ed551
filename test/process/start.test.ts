import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  failToStart,
  fixture,
  startServer,
  tempFolder,
  triggerWhenFree,
  until,
  type ListedRun,
} from './server.ts';

test('with nothing configured the samples are served, and a run by hand succeeds', async () => {
  const db = join(tempFolder(), 'new', 'folder', 'punctual.db');
  const server = await startServer({ PUNCTUAL_DB: db });

  const run = await triggerWhenFree(server, 'canary');
  const page = await fetch(server.url, { headers: { Accept: 'text/html' } });

  expect(run).toMatchObject({ state: 'succeeded', attempts: [{ n: 1, outcome: 'succeeded' }] });
  expect(await page.text()).toContain('canary');
  expect(existsSync(db)).toBe(true);
  expect(await server.end('SIGTERM')).toBe(0);
});

test('everything wrong in a registry is told at once, and the process exits with 1', async () => {
  const db = join(tempFolder(), 'punctual.db');

  const { status, output } = await failToStart({
    PUNCTUAL_DB: db,
    PUNCTUAL_JOBS: fixture('wrong.ts'),
  });

  expect(status).toBe(1);
  for (const line of [
    /job "Bad Name": name: expected 1 to 63 lower-case letters/,
    /job "minute": schedule: minute 61 is outside 0–59/,
    /job "fields": schedule: expected five fields/,
    /job "never": schedule: never comes/,
    /job "zone": timeZone: time zone "Mars\/Olympus" is not an IANA name/,
    /job "later": timeZone: time zone "EST5EDT4" is not an IANA name/,
    /job "no-time": timeout: is 0 ms; right would be/,
    /job "negative": retry.attempts: is 0/,
    /job "negative": retry.backoff.from: is -5 ms/,
    /job "short": catchUp.within: is 60000 ms; right would be at least two ticks, 120000 ms/,
    /job "typo": shedule: unknown field/,
    /job "twice": name: two jobs have this name/,
    /job "no-run": run: expected the handler/,
    /entry 14 of the registry is not a job: make it with defineJob/,
    /job "getter": timeout: can't be read: not today/,
    /job "no-number": overlap.allow: expected how many/,
    /job "nan": timeout: expected a duration .*, got NaN/,
  ]) {
    expect(output).toMatch(line);
  }
  expect(existsSync(db)).toBe(false);
});

test('everything wrong in the environment is told at once, and the process exits with 1', async () => {
  const { status, output } = await failToStart({
    PORT: 'http',
    PUNCTUAL_STORE: 'mysql',
    PUNCTUAL_LEASE_MS: '100',
    PUNCTUAL_TICK_MS: '-1',
    PUNCTUAL_MAX_RUNNING: '0',
    PUNCTUAL_LOG_LEVEL: 'loud',
    PUNCTUAL_LEASE: '90',
  });

  expect(status).toBe(1);
  for (const line of [
    'PORT is "http"; right would be a whole number from 0 to 65535',
    'PUNCTUAL_STORE is "mysql"; right would be one of sqlite',
    'PUNCTUAL_LEASE_MS is "100"; right would be a whole number from 2000',
    'PUNCTUAL_TICK_MS is "-1"',
    'PUNCTUAL_MAX_RUNNING is "0"',
    'PUNCTUAL_LOG_LEVEL is "loud"; right would be one of debug, info, warn, error, silent',
    'PUNCTUAL_LEASE is not known; known are',
  ]) {
    expect(output).toContain(line);
  }
});

test('a registry that is not there, and a port that is taken, are told in a line', async () => {
  const db = join(tempFolder(), 'punctual.db');
  const server = await startServer({ PUNCTUAL_DB: db });
  const { port } = new URL(server.url);

  const missing = await failToStart({ PUNCTUAL_DB: db, PUNCTUAL_JOBS: '/nowhere/jobs.ts' });
  const taken = await failToStart({ PUNCTUAL_DB: db, PORT: port });

  expect(missing.status).toBe(1);
  expect(missing.output).toMatch(/the registry \/nowhere\/jobs.ts can't be imported/);
  expect(taken.status).toBe(1);
  expect(taken.output).toMatch(new RegExp(`EADDRINUSE|${port}`));
});

test.each([
  ['ends the process', 'process.exit(0);', /a module of the jobs ended the process/],
  ['has a mistake in its text', 'export default [\n  const x = ;\n];', /jobs\.ts:2/],
  ['throws', "throw new Error('no such secret');", /can't be imported: no such secret/],
  ['exports no list', 'export default 5;', /no array of jobs as its default export/],
])('a registry that %s is told in words, with exit status 1', async (_what, text, told) => {
  const folder = tempFolder();
  const path = join(folder, 'jobs.ts');
  writeFileSync(path, text);

  const env = { PUNCTUAL_DB: join(folder, 'punctual.db'), PUNCTUAL_JOBS: path };
  const { status, output } = await failToStart(env);

  expect(status).toBe(1);
  expect(output).toMatch(told);
});

test('a database that is deleted under a server stops it from running anything more', async () => {
  const folder = tempFolder();
  const db = join(folder, 'punctual.db');
  const server = await startServer({ PUNCTUAL_DB: db });
  await server.trigger('canary', 10);

  for (const end of ['', '-wal', '-shm']) rmSync(db + end, { force: true });
  const answer = await fetch(`${server.url}/api/v1/jobs/canary/runs`, { method: 'POST' });
  const health = await fetch(`${server.url}/healthz`);

  expect([answer.status, health.status]).toEqual([503, 503]);
  await expect.poll(() => server.output()).toMatch(/was deleted or replaced while it was open/);
});

test('npm start heeds SIGTERM: the server stops, and leaves nothing behind', async () => {
  const db = join(tempFolder(), 'punctual.db');
  const root = new URL('../..', import.meta.url).pathname;
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, PORT: '0', PUNCTUAL_DB: db },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const url = await until(async () => /http:\S+/.exec(output)?.[0], 20_000);
  await until(async () => (await fetch(`${url}/healthz`)).ok, 20_000);

  child.kill('SIGTERM');

  await until(async () => (await fetch(`${url}/healthz`).catch(() => 'gone')) === 'gone', 20_000);
  expect(output).toContain('stopping');
});

test('of two servers on one file each occurrence is run once, by either', async () => {
  const folder = tempFolder();
  const env = {
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('many.ts'),
    TEST_FOLDER: folder,
  };
  const [first, second] = await Promise.all([startServer(env), startServer(env)]);
  const journal = (): string[] =>
    existsSync(join(folder, 'journal'))
      ? readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n')
      : [];

  const lines = await until(async () => journal().length >= 40 && journal(), 75_000);
  await until(async () => {
    const { runs } = await second.json<{ runs: ListedRun[] }>('/api/v1/runs?limit=500');
    return runs.length >= 40 && runs.every((run) => run.state === 'succeeded');
  }, 20_000);

  const runs = lines.map((line) => line.split(' ')[0]);
  expect(new Set(runs).size).toBe(runs.length);
  const late = (await first.json<{ runs: ListedRun[] }>('/api/v1/runs?limit=500')).runs;
  expect(Math.max(...late.map((run) => run.latenessMs ?? Infinity))).toBeLessThan(10_000);
}, 120_000);
