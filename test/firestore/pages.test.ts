import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createApp } from '../../server/app.ts';
import { defineJob } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
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
  readonly get: (path: string) => Promise<string>;
}> {
  const service = await openService(jobs);
  await register(service);
  const server = createServer(createApp(service.deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(answer.status).toBe(200);
    return await answer.text();
  };
  return { service, get };
}

const start = async (service: FirestoreService, name: string, key: string): Promise<void> => {
  await runNow(service.deps, service.deps.registry.get(name)!, {
    input: undefined,
    key,
    beside: false,
    rerunOf: null,
    by: null,
    traceparent: null,
  });
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
    expect(page).toContain('every 15s');
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
