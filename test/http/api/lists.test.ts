import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../../server/core/job.ts';
import { keepSelfAudit } from '../../../server/core/self-audit.ts';
import { byHand, job } from '../../service.ts';
import { json, serve, type Answer } from '../client.ts';

describe('what comes next', () => {
  const told = ({ body }: Answer): string[] =>
    body?.['upcoming'].map(
      ({ job: name, scheduledAt, paused }: { job: string; scheduledAt: string; paused: boolean }) =>
        `${name} ${scheduledAt.slice(11, 16)}${paused ? ' paused' : ''}`,
    );

  test('is told of all jobs, soonest first, and marked where a pause will skip it', async () => {
    const { ask } = await serve([
      job({ name: 'b', schedule: '0,30 * * * *' }),
      job({ name: 'a', schedule: '0 * * * *' }),
      byHand({ name: 'c' }),
    ]);
    await ask('PUT', '/api/v1/jobs/b/pause', json({ until: '2026-03-01T01:10:00Z' }));

    const answer = await ask('GET', '/api/v1/upcoming?limit=6');

    expect(told(answer)).toEqual([
      'b 00:30 paused',
      'a 01:00',
      'b 01:00 paused',
      'b 01:30',
      'a 02:00',
      'b 02:00',
    ]);
    expect(answer.body).toMatchObject({ more: true, incomplete: false });
  });

  test('is told of one job, and of a time, whose ends both belong to it', async () => {
    const { ask } = await serve([job({ name: 'a', schedule: '0 * * * *' }), job({ name: 'b' })]);
    const [from, until] = ['2026-03-01T02:00:00Z', '2026-03-01T04:00:00Z'];

    const answer = await ask('GET', `/api/v1/upcoming?job=a&from=${from}&until=${until}`);

    expect(told(answer)).toEqual(['a 02:00', 'a 03:00', 'a 04:00']);
    expect(answer.body).toMatchObject({
      from: '2026-03-01T02:00:00.000Z',
      until: '2026-03-01T04:00:00.000Z',
      more: false,
    });
  });

  test('begins now, also where something earlier is asked for', async () => {
    const { service, ask } = await serve([job({ schedule: '0 * * * *' })]);
    await service.wake('00:30:00');

    const { body } = await ask('GET', '/api/v1/upcoming?from=2020-01-01T00:00:00Z&limit=1');

    expect(body).toMatchObject({
      from: '2026-03-01T00:30:00.000Z',
      upcoming: [{ scheduledAt: '2026-03-01T01:00:00.000Z' }],
    });
  });

  test('of a thousand jobs is the same as of each by itself', async () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      job({ name: `j${n}`, schedule: `${n % 60} ${n % 24} * * *` }),
    );
    const { ask } = await serve(many);
    const until = '2026-03-01T08:00:00Z';

    const all = await ask('GET', `/api/v1/upcoming?until=${until}&limit=500`);
    const some = await ask('GET', `/api/v1/upcoming?until=${until}&limit=10`);

    const names = all.body?.['upcoming'].map(({ job: name }: { job: string }) => name);
    const hours = many.filter((_, n) => n % 24 < 8 && (n % 24) * 60 + (n % 60) > 0);
    expect(new Set(names)).toEqual(new Set(hours.map(({ name }) => name)));
    expect(told(some)).toEqual(told(all).slice(0, 10));
    expect([all.body?.['more'], some.body?.['more']]).toEqual([false, true]);
  });

  test.each([
    ['until=2020-01-01T00:00:00Z', '?until'],
    ['from=2026-04-01T00:00:00Z&until=2026-03-20T00:00:00Z', '?until'],
    ['until=2027-03-10T00:00:00Z', '?until'],
    ['from=2028-01-01T00:00:00Z', '?from'],
    ['limit=501', '?limit'],
  ])('?%s is refused', async (query, path) => {
    const { ask } = await serve([job({})]);

    const { status, body } = await ask('GET', `/api/v1/upcoming?${query}`);

    expect(status).toBe(400);
    expect(body?.['errors'][0].path).toBe(path);
  });

  test('of no job is 404', async () => {
    const { ask } = await serve([]);

    expect((await ask('GET', '/api/v1/upcoming?job=nobody')).status).toBe(404);
  });
});

describe('the service', () => {
  const slow = byHand({
    name: 'slow',
    overlap: 'queue',
    run: ({ signal }: JobContext) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });

  test('tells what is at work in it, what waits, and how often the store was asked', async () => {
    const { ask } = await serve([slow, job({})]);
    await ask('POST', '/api/v1/jobs/slow/runs');
    await ask('POST', '/api/v1/jobs/slow/runs');

    const { body } = await ask('GET', '/api/v1/system');

    expect(body).toMatchObject({
      now: '2026-03-01T00:00:00.000Z',
      process: { build: 'test', namespace: 'default', jobs: 2, running: 1, full: false },
      store: { place: expect.stringContaining('memory'), unsteady: null },
      wakes: { by: 'timer', trouble: null },
      scheduler: null,
      counts: { jobs: 2, leases: 1, waiting: 1, overdue: 0, broken: 0, incomplete: false },
      leases: [{ job: 'slow', attempt: 1 }],
      waiting: [{ job: 'slow', state: 'queued', until: null }],
      costs: null,
    });
    expect(body?.['calls']['commit: manual']).toBe(2);
  });

  test('tells what its audit of itself found, and which jobs are set aside', async () => {
    const { service, ask } = await serve([job({})]);
    const { version } = await service.store.read('job');
    const problem = { name: 'job', version: version ?? '', until: 9e12, problem: 'field x is odd' };
    await service.store.quarantine(problem);
    await keepSelfAudit(service.store, 'default', {
      at: service.clock.wall(),
      lookedBackTo: null,
      audited: { jobs: 1, occurrences: 5, runs: 4, ranges: 0, gaps: [] },
    });

    const { body } = await ask('GET', '/api/v1/system');

    expect(body).toMatchObject({
      audit: { occurrences: 5, gaps: 0, cleanSince: '2026-03-01T00:00:00.000Z' },
      broken: [{ job: 'job', problem: 'field x is odd' }],
      counts: { broken: 1 },
    });
  });
});
