import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { byHand, job, noon } from '../service.ts';
import { json, serve } from './client.ts';

describe('triggers', () => {
  test('a tick brings all jobs up to date, and a second one finds nothing to do', async () => {
    const { service, ask } = await serve([job({ name: 'a' }), job({ name: 'b' })]);
    await service.clock.advance(60_000);

    const first = await ask('POST', '/triggers/tick');
    const second = await ask('POST', '/triggers/tick');
    await service.settle();

    expect([first.body, second.body]).toEqual([{ started: 2 }, { started: 0 }]);
  });

  test('each is known of afterwards, with what it started and how late it came', async () => {
    const { service, ask } = await serve([job({ name: 'a' }), job({ name: 'b' })]);
    const { deps, clock } = service;
    await clock.advance(noon('00:01:05') - clock.wall());

    const before = deps.wakes.last;
    await ask('POST', '/triggers/jobs/a');
    const one = deps.wakes.last;
    await ask('POST', '/triggers/tick');
    const all = deps.wakes.last;

    expect([before, one, all]).toEqual([
      null,
      { at: noon('00:01:05'), started: 1, lagMs: 5000 },
      { at: noon('00:01:05'), started: 1, lagMs: 5000 },
    ]);
  });

  test('nothing that a trigger says decides anything', async () => {
    const { service, ask } = await serve([job({})]);
    await service.clock.advance(60_000);
    const headers = { 'X-CloudScheduler-ScheduleTime': '9999-01-01T00:00:00Z' };

    const first = await ask('POST', '/triggers/jobs/job', { headers });
    await service.settle();
    const forged = await ask('POST', '/triggers/jobs/job', json({ scheduledAt: '1970-01-01' }));

    expect(first.body).toMatchObject({ outcome: 'started', started: ['job@20260301T000100Z'] });
    expect(forged.body).toMatchObject({ outcome: 'nothing-due', started: [] });
    expect(await service.runs()).toHaveLength(1);
  });

  test.each([
    ['absent', []],
    ['empty', ['']],
    ['garbage', ['<b>\u00e4']],
    ['of the year 9999', ['9999-12-31T23:59:59Z']],
    ['of 1970', ['1970-01-01T00:00:00Z']],
    ['with an offset', ['2026-03-01T05:31:00+05:30']],
    ['with a lower-case z', ['2026-03-01t00:01:00z']],
    ['there twice', ['2026-03-01T00:01:00Z', '2020-01-01T00:00:00Z']],
  ])('a time to be woken for that is %s decides nothing', async (_what, times) => {
    const { service, ask } = await serve([job({})]);
    await service.clock.advance(60_000);
    const headers = new Headers(
      times.map((time): [string, string] => ['X-CloudScheduler-ScheduleTime', time]),
    );

    const { status, body } = await ask('POST', '/triggers/jobs/job', { headers });
    await service.settle();

    expect([status, body?.['started']]).toEqual([200, ['job@20260301T000100Z']]);
    expect((await service.lastRun()).scheduledAt).toBe(noon('00:01:00'));
  });

  test('a trigger that comes a moment early waits for its occurrence', async () => {
    const { service, ask } = await serve([job({})]);
    await service.clock.advance(59_000);

    const asking = ask('POST', '/triggers/jobs/job');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await service.clock.advance(1000);

    expect((await asking).body).toMatchObject({ started: ['job@20260301T000100Z'] });
    expect((await service.lastRun()).startedAt).toBe(noon('00:01:00'));
  });
});

describe('who is answered', () => {
  test('a health check says nothing but that it is well', async () => {
    const { ask } = await serve([]);

    expect((await ask('GET', '/healthz')).body).toEqual({ status: 'ok' });
  });

  test.each([
    ['a Host of another name', { Host: 'evil.example' }],
    ['a request through a proxy', { 'X-Forwarded-For': '127.0.0.1' }],
  ])('%s is refused', async (_what, headers) => {
    const { url } = await serve([job({})]);

    const status = await rawStatus(url, '/api/v1/jobs', headers);

    expect(status).toBe(403);
  });

  test.each([
    ['Origin', { Origin: 'https://evil.example' }],
    ['Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('a page of another site, told by %s, may change nothing', async (_what, headers) => {
    const { service, ask } = await serve([byHand({})]);

    const answer = await ask('POST', '/api/v1/jobs/job/runs', { headers });

    expect(answer.status).toBe(403);
    expect(await service.runs()).toEqual([]);
  });
});

/** `fetch` does not let a Host header through; plain HTTP does. */
async function rawStatus(url: string, path: string, headers: Record<string, string>) {
  return await new Promise<number>((resolve, reject) => {
    const asking = request(url + path, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('error', reject);
    asking.end();
  });
}
