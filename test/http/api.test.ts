import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { byHand, job, noon } from '../service.ts';
import { whileTimePasses } from './api/time.ts';
import { json, serve } from './client.ts';

const input = v.object({
  table: v.pipe(v.string(), v.minLength(2, 'too short')),
  rows: v.optional(v.pipe(v.number(), v.integer('not whole')), 10),
});
const load = byHand({ name: 'load', input, run: ({ input: given }: JobContext) => given } as never);
const waits = (name: string, overlap: 'skip' | 'queue' = 'skip') =>
  byHand({
    name,
    overlap,
    run: ({ signal }: JobContext) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });

describe('a run by hand', () => {
  test('is on record before it is answered, with its address', async () => {
    const { service, ask } = await serve([load]);

    const answer = await ask('POST', '/api/v1/jobs/load/runs', json({ input: { table: 'users' } }));
    await service.settle();

    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      job: 'load',
      trigger: 'manual',
      input: { table: 'users' },
    });
    const stored = await ask('GET', answer.headers.get('location') ?? '');
    expect(stored.body).toMatchObject({
      id: answer.body?.['id'],
      state: 'succeeded',
      output: { table: 'users', rows: 10 },
    });
  });

  test('under one Idempotency-Key is one run, however often and at once it is asked for', async () => {
    const { service, ask } = await serve([waits('slow', 'queue')]);
    const request = json({}, { 'Idempotency-Key': 'deploy-7' });

    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask('POST', '/api/v1/jobs/slow/runs', request)),
    );

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body?.['id'])).size).toBe(1);
    const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replayed).toHaveLength(49);
    expect(await service.runs()).toHaveLength(1);
  });

  test('under a key that stands for another request is refused', async () => {
    const { ask } = await serve([load]);
    const headers = { 'Idempotency-Key': 'k' };
    await ask('POST', '/api/v1/jobs/load/runs', json({ input: { table: 'users' } }, headers));

    const other = await ask(
      'POST',
      '/api/v1/jobs/load/runs',
      json({ input: { table: 'x2' } }, headers),
    );

    expect([other.status, other.body?.['title']]).toEqual([422, 'Key used before']);
  });

  test('while another is unfinished is refused under skip, and names it', async () => {
    const { ask } = await serve([waits('slow')]);
    const first = await ask('POST', '/api/v1/jobs/slow/runs');

    const second = await ask('POST', '/api/v1/jobs/slow/runs');

    expect(second.status).toBe(409);
    expect(second.body?.['detail']).toContain(first.body?.['id']);
  });

  test('told to overlap runs beside', async () => {
    const { service, ask } = await serve([waits('slow')]);
    await ask('POST', '/api/v1/jobs/slow/runs');

    const second = await ask('POST', '/api/v1/jobs/slow/runs', json({ overlap: 'allow' }));

    expect(second.status).toBe(202);
    expect((await service.runs()).map((run) => run.state)).toEqual(['running', 'running']);
  });

  test('can be waited for', async () => {
    const { service, ask } = await serve([load]);

    const asking = ask(
      'POST',
      '/api/v1/jobs/load/runs',
      json({ input: { table: 'users' } }, { Prefer: 'wait=30' }),
    );
    const answer = await whileTimePasses(service, asking);

    expect([answer.status, answer.body?.['state']]).toEqual([200, 'succeeded']);
    expect(answer.headers.get('preference-applied')).toBe('wait=30');
  });
});

describe('bad input', () => {
  test('names every problem under its path, and makes no run', async () => {
    const { service, ask } = await serve([load]);

    const answer = await ask(
      'POST',
      '/api/v1/jobs/load/runs',
      json({ input: { table: 'x', rows: 1.5 } }),
    );

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body?.['errors']).toEqual([
      { path: '/input/table', message: 'too short' },
      { path: '/input/rows', message: 'not whole' },
    ]);
    expect(await service.runs()).toEqual([]);
  });

  test.each([
    ['invalid JSON', json('{"input": '), 400, /not JSON/],
    ['an array', json([]), 400, /expected a JSON object/],
    ['text', json('"x"'), 400, /expected a JSON object/],
    ['null', json('null'), 400, /expected a JSON object/],
    [
      'too deep a nesting',
      json(`{"input":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
      400,
      /too deeply/,
    ],
    [
      'what is not UTF-8',
      { ...json({}), body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      /not UTF-8/,
    ],
    ['an unknown field', json({ inputs: {} }), 400, /unknown field; known here: input, overlap/],
    ['another overlap', json({ overlap: 'skip' }), 400, /only "allow"/],
    ['a body over 64 KB', json({ input: 'x'.repeat(70_000) }), 413, /at most 64 KB/],
    [
      'a form',
      { body: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      415,
      /send application\/json/,
    ],
    [
      'plain text',
      { body: '{}', headers: { 'Content-Type': 'text/plain' } },
      415,
      /send application\/json/,
    ],
    ['gzip', json('{}', { 'Content-Encoding': 'gzip' }), 415, /plain JSON/],
    ['an empty key', json({}, { 'Idempotency-Key': ' ' }), 400, /Idempotency-Key/],
    ['a long key', json({}, { 'Idempotency-Key': 'k'.repeat(300) }), 400, /1 to 255/],
  ])('%s is refused and makes no run', async (_what, init, status, detail) => {
    const { service, ask } = await serve([byHand({})]);

    const answer = await ask('POST', '/api/v1/jobs/job/runs', init);

    expect(answer.status).toBe(status);
    expect(String(answer.body?.['detail'])).toMatch(detail);
    expect(await service.runs()).toEqual([]);
  });

  test.each([
    ['GET', '/api/v1/jobs/nobody', 404],
    ['POST', '/api/v1/jobs/nobody/runs', 404],
    ['POST', '/triggers/jobs/nobody', 404],
    ['GET', '/api/v1/runs/nobody@20260301T000000Z', 404],
    ['GET', '/api/v1/runs/nonsense', 400],
    ['GET', '/api/v1/jobs/UPPER', 400],
    ['GET', '/api/v1/jobs/..%2f..%2fetc', 400],
    ['GET', '/api/v1/jobs/a%00b', 400],
    ['GET', '/api/v1/jobs/%', 400],
    ['GET', '/api/v1/runs?limit=0', 400],
    ['GET', '/api/v1/runs?limit=501', 400],
    ['GET', '/api/v1/runs?limit=ten', 400],
    ['GET', '/api/v1/runs?state=done', 400],
    ['GET', '/api/v1/runs?state=failed,done,', 400],
    ['GET', '/api/v1/runs?colour=red', 400],
    ['GET', '/api/v1/runs?job=job&job=job', 400],
    ['GET', '/api/v1/runs?cursor=forged', 400],
    ['GET', '/api/v1/runs?since=yesterday', 400],
    ['GET', '/nowhere', 404],
    ['GET', '/api/v1/nowhere', 404],
    ['DELETE', '/api/v1/jobs', 405],
    ['GET', '/triggers/tick', 405],
    ['PUT', '/api/v1/jobs/job/runs', 405],
  ])('%s %s is answered with %i', async (method, path, status) => {
    const { ask } = await serve([job({})]);

    const answer = await ask(method, path, { headers: { Accept: 'application/json' } });

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status });
    expect(answer.headers.has('allow')).toBe(status === 405);
  });

  test('keys that shadow what every object has are refused', async () => {
    const { service, ask } = await serve([byHand({})]);
    const nasty = '{"input": {"__proto__": {"admin": true}, "constructor": "<script>"}}';

    const answer = await ask('POST', '/api/v1/jobs/job/runs', json(nasty));

    expect(answer.body).toMatchObject({ status: 400, errors: [{ path: '/input/__proto__' }] });
    expect(Reflect.get({}, 'admin')).toBeUndefined();
    expect(await service.runs()).toEqual([]);
  });
});

const schema = (validate: (value: unknown) => unknown) =>
  byHand({ input: { '~standard': { version: 1, vendor: 'test', validate } } } as never);

describe('a schema that does not do its work', () => {
  test.each([
    ['throws', () => Promise.reject(new Error('no database')), /schema failed: no database/],
    ['answers nothing', () => null, /something that is no answer/],
    ['names no issue', () => ({ issues: [] }), /refused without a reason/],
    ['names issues that are none', () => ({ issues: [null] }), /\/input: refused/],
    ['names issues as text', () => ({ issues: 'bad' }), /refused without a reason/],
  ])('and %s, refuses the input in words, and makes no run', async (_what, validate, told) => {
    const { service, ask } = await serve([schema(validate)]);

    const answer = await ask('POST', '/api/v1/jobs/job/runs', json({ input: 1 }));

    expect([answer.status, answer.body?.['detail']]).toEqual([400, expect.stringMatching(told)]);
    expect(await service.runs()).toEqual([]);
  });

  test('and never answers, is waited for only so long', async () => {
    const { service, ask } = await serve([schema(() => new Promise(() => undefined))]);

    const asking = ask('POST', '/api/v1/jobs/job/runs', json({ input: 1 }));
    const answer = await whileTimePasses(service, asking);

    expect(answer.status).toBe(400);
    expect(service.clock.monotonic()).toBeGreaterThanOrEqual(5000);
  });
});

describe('lists', () => {
  test('of jobs say when each is next due, and how it last ended', async () => {
    const { service, ask } = await serve([
      job({ name: 'b-job', schedule: '*/5 * * * *', tags: ['x'], description: 'Does b.' }),
      byHand({ name: 'a-job' }),
    ]);
    await service.wake('00:05:00');

    const { body } = await ask('GET', '/api/v1/jobs');

    expect(body?.['jobs']).toMatchObject([
      { name: 'a-job', schedule: null, nextScheduledAt: null, last: null, paused: null },
      {
        name: 'b-job',
        description: 'Does b.',
        tags: ['x'],
        schedule: '*/5 * * * *',
        timeZone: 'UTC',
        nextScheduledAt: '2026-03-01T00:10:00.000Z',
        last: { id: 'b-job@20260301T000500Z', state: 'succeeded' },
      },
    ]);
  });

  test('of runs come newest first, page by page, by job and state', async () => {
    const bad = job({ name: 'bad', run: () => Promise.reject(new Error('no')) });
    const { service, ask } = await serve([job({}), bad]);
    for (const time of ['00:01:00', '00:02:00', '00:03:00']) await service.wake(time);

    const first = await ask('GET', '/api/v1/runs?job=job&limit=2');
    const next = String(first.body?.['next']);
    const second = await ask(
      'GET',
      `/api/v1/runs?job=job&limit=2&cursor=${encodeURIComponent(next)}`,
    );
    const failed = await ask('GET', '/api/v1/runs?state=failed');
    const either = await ask('GET', '/api/v1/runs?state=failed,succeeded&limit=6');
    const wrong = await ask('GET', '/api/v1/runs?state=failed,dnoe');

    const ids = (body: typeof first.body) => body?.['runs'].map((run: { id: string }) => run.id);
    expect(ids(first.body)).toEqual(['job@20260301T000300Z', 'job@20260301T000200Z']);
    expect(ids(second.body)).toEqual(['job@20260301T000100Z']);
    expect(second.body?.['next']).toBeNull();
    expect(failed.body?.['runs']).toHaveLength(3);
    expect(either.body?.['runs']).toHaveLength(6);
    expect(wrong.body).toMatchObject({
      errors: [
        { path: '?state', message: expect.stringMatching(/^"dnoe" is no state; expected /) },
      ],
    });
    expect(failed.body?.['runs'][0]).toMatchObject({ error: { message: 'no' }, latenessMs: 0 });
  });

  test('show ranges of what did not run, with the reason', async () => {
    const { service, ask } = await serve([job({ schedule: '0 * * * *' })]);
    await service.wake('05:30:00');

    const { body } = await ask('GET', '/api/v1/runs?state=missed');

    expect(body?.['runs']).toMatchObject([
      {
        state: 'missed',
        reason: 'outage',
        range: { count: 4, from: '2026-03-01T01:00:00.000Z', to: '2026-03-01T04:00:00.000Z' },
      },
    ]);
  });

  test('show the log of a run', async () => {
    const chatty = job({ run: ({ log }: JobContext) => log.warn('low on disk', { left: 3 }) });
    const { service, ask } = await serve([chatty]);
    await service.wake('00:01:00');

    const { body } = await ask('GET', '/api/v1/runs/job@20260301T000100Z/log');

    expect(body?.['lines']).toMatchObject([
      { at: '2026-03-01T00:01:00.000Z', level: 'warn', text: 'low on disk', fields: '{"left":3}' },
    ]);
  });
});

describe('pause, resume and cancel', () => {
  test('a paused job starts nothing until it is resumed, and what fell due is skipped', async () => {
    const { service, ask } = await serve([job({})]);

    const paused = await ask('PUT', '/api/v1/jobs/job/pause', json({ note: 'deploying' }));
    await service.wake('00:02:30');
    await ask('DELETE', '/api/v1/jobs/job/pause');
    await service.wake('00:03:00');

    expect(paused.body).toMatchObject({
      state: 'paused',
      paused: { note: 'deploying', until: null },
    });
    const [range, run] = await service.runs();
    expect(range).toMatchObject({ state: 'skipped', reason: 'paused', range: { count: 2 } });
    expect(run).toMatchObject({ state: 'succeeded', scheduledAt: noon('00:03:00') });
  });

  test('a pause with an end goes on by itself', async () => {
    const { service, ask } = await serve([job({})]);

    const until = '2026-03-01T00:05:30Z';
    await ask('PUT', '/api/v1/jobs/job/pause', json({ until }));
    await service.wake('00:06:00');

    const states = (await service.runs()).map(({ state, reason }) => [state, reason]);
    expect(states).toEqual([
      ['skipped', 'paused'],
      ['succeeded', null],
    ]);
  });

  test('a pause that ends in the past, or is no instant, is refused', async () => {
    const { ask } = await serve([job({})]);

    const past = await ask(
      'PUT',
      '/api/v1/jobs/job/pause',
      json({ until: '2020-01-01T00:00:00Z' }),
    );
    const nonsense = await ask('PUT', '/api/v1/jobs/job/pause', json({ until: 'tomorrow' }));

    expect([past.status, nonsense.status]).toEqual([400, 400]);
  });

  test('a cancelled run ends as cancelled, and a second cancel is refused', async () => {
    const { service, ask } = await serve([waits('slow')]);
    const { body } = await ask('POST', '/api/v1/jobs/slow/runs');
    const path = `/api/v1/runs/${encodeURIComponent(String(body?.['id']))}/cancel`;

    const first = await ask('POST', path);
    await service.clock.advance(1000);
    const second = await ask('POST', path);

    expect([first.status, second.status]).toEqual([202, 409]);
    expect((await service.lastRun()).state).toBe('cancelled');
  });
});
