/**
 * Makes the fixtures of test/stores/upgrade: databases as earlier versions left them.
 *
 *   node test/stores/upgrade/make.ts COMMIT…
 *
 * Each commit is laid out in a folder of its own (`git worktree`, on the packages of this one), and
 * its real server works for some five minutes, is restarted with other jobs, and is killed. What it
 * leaves is written to fixtures/, as it is. Made once, for each version that was released: a file
 * made by a version is never made again.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { dayOf, layOut, startOld, type OldServer } from './old-server.ts';
import { writeReleased } from './released.ts';

const MINUTE = 60_000;

/** Until so many ms after the next full minute. */
const untilMinute = (plusMs: number): Promise<unknown> =>
  wait(MINUTE - (Date.now() % MINUTE) + plusMs);

const json = (method: string, body: unknown, key?: string): RequestInit => ({
  method,
  headers: {
    'Content-Type': 'application/json',
    ...(key !== undefined && { 'Idempotency-Key': key }),
  },
  body: JSON.stringify(body),
});

/** What is right in all versions; a failure ends the making. */
async function must(server: OldServer, path: string, init?: RequestInit): Promise<any> {
  const { status, text, body } = await server.ask(path, init);
  if (status >= 300) throw new Error(`${init?.method ?? 'GET'} ${path}: ${status} ${text}`);
  return body;
}

const start = (server: OldServer, job: string, key: string, input?: unknown) =>
  must(server, `/api/v1/jobs/${job}/runs`, json('POST', input === undefined ? {} : { input }, key));

/** The first start: people ask for this and that, and there is one job more. */
async function beginning(server: OldServer): Promise<void> {
  const { jobs } = await must(server, '/api/v1/jobs');
  await start(server, 'talks', 'talks', { why: 'for the fixture', list: [1, 'ü', null] });
  for (const n of [1, 2, 3]) await start(server, 'hand', `hand-${n}`);
  const { id } = await start(server, 'cancels', 'cancels');
  const note = 'a note, with <b>marks</b> & ümläuts';
  await must(server, '/api/v1/jobs/pauses/pause', json('PUT', { note }));
  await must(server, '/api/v1/jobs/paused-once/pause', json('PUT', { note: 'for a while' }));
  if (jobs.some((job: { name: string }) => job.name === 'secretive')) {
    await start(server, 'secretive', 'secretive', { name: 'ada', token: 'the-token-of-ada' });
  }
  await wait(1000);
  await must(server, `/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  await wait(7000);
}

/** The second: what is at work when it is killed. */
async function going(server: OldServer): Promise<void> {
  await start(server, 'is-lost', 'is-lost');
  await start(server, 'is-retried', 'is-retried');
  await must(server, '/api/v1/jobs/paused-once/pause', { method: 'DELETE' });
  const [from, to] = [6, 0].map((hours) =>
    new Date(Date.now() - hours * 60 * MINUTE).toISOString(),
  );
  const byApi = await server.ask('/api/v1/jobs/filled/backfills', json('POST', { from, to }));
  if (byApi.status < 300) return;
  // Before there was that address there was a form, and before that nothing.
  const form = new URLSearchParams({ from: from!.slice(0, 16), to: to!.slice(0, 16) });
  const byForm = await server.ask('/jobs/filled/backfill', { method: 'POST', body: form });
  process.stdout.write(`backfill: API ${byApi.status}, form ${byForm.status}\n`);
}

async function make(commit: string): Promise<void> {
  const tree = layOut(commit);
  const folder = mkdtempSync(join(tmpdir(), 'punctual-made-'));
  const path = join(folder, 'punctual.db');
  const env = {
    PUNCTUAL_DB: path,
    PUNCTUAL_LEASE_MS: '30000',
    PUNCTUAL_BUILD: `release-${commit}`,
    TMPDIR: folder,
  };
  let server = await startOld(tree, { ...env, TEST_STEP: '1' });
  try {
    await untilMinute(2000);
    await beginning(server);
    server.child.kill('SIGTERM');
    await server.ended;
    server = await startOld(tree, env);
    await untilMinute(5000);
    await going(server);
    await wait(3 * MINUTE);
    await untilMinute(12_000);
    const { jobs } = await must(server, '/api/v1/jobs');
    const { runs } = await must(server, '/api/v1/runs?limit=500');
    const talked = runs.find((run: { job: string }) => run.job === 'talks');
    const log = (await server.ask(`/api/v1/runs/${encodeURIComponent(talked.id)}/log`)).text;
    server.child.kill('SIGKILL');
    await server.ended;
    const [db, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    const name = `${dayOf(commit)}-${commit}`;
    const made = { commit, killedAt: Date.now(), db, wal, runs, jobs, log };
    const size = writeReleased(name, made);
    process.stdout.write(`${name}: ${jobs.length} jobs, ${runs.length} runs, ${size} bytes\n`);
  } finally {
    server.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    tree.remove();
  }
}

await Promise.all(process.argv.slice(2).map(make));
