import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createApp } from '../../server/app.ts';
import { defineJob } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
import { runRequest } from '../builders.ts';
import { emulator } from './fixture.ts';
import { openService, register, type FirestoreService } from './service.ts';

/** The pages on a store that bills for each document. */

const JOBS = 12;
const jobs = Array.from({ length: JOBS }, (_, i) =>
  defineJob({
    name: `job-${String(i).padStart(2, '0')}`,
    schedule: '0 0 1 1 *',
    run: ({ log }) => log('hello'),
  }),
);

async function serve(): Promise<{
  service: FirestoreService;
  readonly get: (path: string, init?: RequestInit) => Promise<string>;
}> {
  const service = await openService(jobs);
  await register(service);
  const server = createServer(createApp(service.deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const get = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    expect(answer.status).toBe(200);
    return await answer.text();
  };
  return { service, get };
}

const start = async (service: FirestoreService, name: string, key: string): Promise<void> => {
  await runNow(service.deps, service.deps.registry.get(name)!, runRequest({ key }));
  await service.idle();
};

/** A change may come into sight a moment after the time it bears: until then it is read again. */
const inSight = (): Promise<void> => setTimeout(1200);

describe.skipIf(emulator === null)('pages on Firestore', () => {
  test('the overview reads each job once, and then only those that changed', async () => {
    const { service, get } = await serve();

    await inSight();
    const first = await service.billed(() => get('/'));
    const idle = await service.billed(() => get('/'));
    await start(service, 'job-03', 'a');
    const changed = await service.billed(() => get('/'));
    const page = await get('/');

    expect([first, idle, changed]).toEqual([`${JOBS} R, 0 W`, '1 R, 0 W', '1 R, 0 W']);
    expect(page.match(/<tr id="job-/g)).toHaveLength(JOBS);
    expect(page).toMatch(/job-03[^]*succeeded/);
    expect(page).toContain('looks again every 15 s');
  });

  test('the timeline reads what changed of the jobs, and no history', async () => {
    const { service, get } = await serve();
    await start(service, 'job-03', 'a');
    await inSight();

    const first = await service.billed(() => get('/timeline'));
    const idle = await service.billed(() => get('/timeline?hours=6'));
    const page = await get('/timeline');

    expect([first, idle]).toEqual([`${JOBS} R, 0 W`, '1 R, 0 W']);
    expect(page).toContain('reading more is billed here');
    expect(page).toContain('id="lane-job-03"');
  });

  test('the system page reads what changed of the jobs, and four notes', async () => {
    const { service, get } = await serve();
    await inSight();

    await get('/system');

    expect(await service.billed(() => get('/system'))).toBe('5 R, 0 W');
  });

  test('a page of history is at most its rows and one', async () => {
    const { service, get } = await serve();
    for (let i = 0; i < 7; i += 1) await start(service, 'job-01', `key-${i}`);

    const all = await service.billed(() => get('/api/v1/runs?job=job-01&limit=10'));
    const some = await service.billed(() => get('/api/v1/runs?job=job-01&limit=5'));
    const none = await service.billed(() => get('/api/v1/runs?job=job-02&state=failed'));

    expect([all, some]).toEqual(['7 R, 0 W', '6 R, 0 W']);
    // Nothing was found, so it is asked whether there is such a job at all.
    expect(none).toBe('2 R, 0 W');
  });

  test('a page of runs is at most its rows and one, whatever is asked for', async () => {
    const { service, get } = await serve();
    for (let i = 0; i < 52; i += 1) await start(service, 'job-01', `key-${i}`);
    const bill = (q: string) =>
      service.billed(() => get(`/runs?${new URLSearchParams({ q }).toString()}`));

    expect(await bill('')).toBe('51 R, 0 W');
    expect(await bill('job:job-01 state:done trigger:manual since:1h')).toBe('51 R, 0 W');
    expect(await bill('state:succeeded trigger:manual')).toBe('51 R, 0 W');
    // A search looks through all of them, since none matches; here there are no more than these.
    expect(await bill('nothing-like-it')).toBe('52 R, 0 W');
    expect(await bill('state:problem since:24h')).toBe('1 R, 0 W');
    expect(await bill('job:job-02')).toBe('1 R, 0 W');
    expect(await bill('job:no-such')).toBe('2 R, 0 W');
    expect(await bill('state:faild')).toBe('0 R, 0 W');
  });

  test('lists that are looked at all day are not read again until something happens', async () => {
    const { service, get } = await serve();
    for (let i = 0; i < 5; i += 1) await start(service, 'job-01', `key-${i}`);
    await setTimeout(2500);
    const bill = (path: string) => service.billed(() => get(path));

    const first = [await bill('/runs'), await bill('/actions')];
    const idle = [await bill('/runs'), await bill('/actions')];
    await start(service, 'job-02', 'new');
    const after = [await bill('/runs'), await bill('/actions')];

    expect(first).toEqual(['5 R, 0 W', '5 R, 0 W']);
    expect(idle).toEqual(['1 R, 0 W', '2 R, 0 W']);
    expect(after).toEqual(['7 R, 0 W', '8 R, 0 W']);
    expect(await get('/runs')).toContain('job-02');
    expect(await get('/actions')).toContain('job-02');
  });

  test('a page of actions is at most its rows and one; one person’s reads more', async () => {
    const { service, get } = await serve();
    for (let i = 0; i < 52; i += 1) await start(service, 'job-01', `key-${i}`);

    const all = await service.billed(() => get('/actions'));
    const ofJob = await service.billed(() => get('/actions?job=job-01'));
    const people = await service.billed(() => get('/actions?by=people'));
    const none = await service.billed(() => get('/actions?job=job-02&by=service'));

    expect([all, ofJob, none]).toEqual(['51 R, 0 W', '51 R, 0 W', '1 R, 0 W']);
    // Looked through, and read again up to the end of the page.
    expect(people).toBe('103 R, 0 W');
  });

  test('the page of a run reads the run, its job and its log; what asks again, no more', async () => {
    const { service, get } = await serve();
    await start(service, 'job-01', 'a');
    const [run] = (await service.store.listRuns({ limit: 1 })).runs;
    const path = `/runs/${encodeURIComponent(run?.id ?? '')}`;
    const part = { headers: { 'HX-Request': 'true', 'HX-PTag': 'none' } };

    const page = await service.billed(() => get(path));
    const again = await service.billed(() => get(path, part));
    const log = await service.billed(() => get(`${path}/log?after=0.1`, part));

    expect([page, again, log]).toEqual(['3 R, 0 W', '2 R, 0 W', '2 R, 0 W']);
  });

  test('a job’s page reads its past once, and again only after something happened', async () => {
    const { service, get } = await serve();
    for (let i = 0; i < 70; i += 1) await start(service, 'job-01', `key-${i}`);
    const bill = (query: string) => service.billed(() => get(`/jobs/job-01${query}`));

    // The job, 50 runs and one, what is drawn besides and one, 10 actions and one.
    expect(await bill('')).toBe('74 R, 0 W');
    expect(await bill('')).toBe('1 R, 0 W');
    await start(service, 'job-01', 'another');
    expect(await bill('')).toBe('74 R, 0 W');
    expect(await bill('?state=problem')).toBe('74 R, 0 W');
    expect(await bill('?state=problem')).toBe('1 R, 0 W');
    expect(await bill('?text=nowhere')).toBe('144 R, 0 W');
  });

  test('choosing a backfill reads the job and what is on record of the stretch', async () => {
    const { service, get } = await serve();
    const bill = (query: string) => service.billed(() => get(`/jobs/job-01/backfill${query}`));

    expect(await bill('')).toBe('2 R, 0 W');
    expect(await bill('?from=2020-01-01T00:00&to=2024-06-01T00:00')).toBe('3 R, 0 W');
  });

  test('the system page tells what was billed, by operation, and a run what it cost', async () => {
    const { service, get } = await serve();
    await start(service, 'job-01', 'a');
    const [run] = (await service.store.listRuns({ limit: 1 })).runs;

    const system = await get('/system');
    const page = await get(`/runs/${encodeURIComponent(run?.id ?? '')}`);

    expect(system.replaceAll(/\s+/g, ' ')).toMatch(
      /<td>finish<\/td><td>0<\/td><td>2<\/td><td>0<\/td>/,
    );
    expect(system).toContain('Firestore, project');
    // Its log is a fifth document.
    expect(page).toContain('1 read, 5 writes');
  });
});
