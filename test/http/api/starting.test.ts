import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../../server/core/job.ts';
import { byHand, job, noon, type TestService } from '../../service.ts';
import { json, serve, type Ask } from '../client.ts';
import { tell, post } from '../wire.ts';
import { whileTimePasses } from './time.ts';
import { serveToTokens } from './tokens.ts';

const input = v.object({ table: v.pipe(v.string(), v.minLength(2, 'too short')) });
const load = byHand({ name: 'load', input, run: ({ input: given }: JobContext) => given } as never);
const waits = (name: string, more = {}) =>
  byHand({
    name,
    ...more,
    run: ({ signal }: JobContext) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
const keyed = (key: string, body: unknown = {}, more = {}): RequestInit =>
  json(body, { 'Idempotency-Key': key, ...more });
const runs = (name: string): string => `/api/v1/jobs/${name}/runs`;
const of = (id: unknown, more = ''): string =>
  `/api/v1/runs/${encodeURIComponent(String(id))}${more}`;

describe('a run that is started', () => {
  test('bears the name of whoever asked for it', async () => {
    const { service, as } = await serveToTokens([load]);
    const ask = await as('deploy', 'operator', null);

    const { body } = await ask('POST', runs('load'), json({ input: { table: 'users' } }));

    expect(body?.['requestedBy']).toBe('deploy');
    const { actions } = await service.store.listActions({ limit: 1 });
    expect(actions[0]).toMatchObject({ action: 'run-now', by: 'deploy' });
  });

  test('is told of all that is wrong with the request, the input among it, at once', async () => {
    const { service, ask } = await serve([load]);

    const answer = await ask('POST', `${runs('load')}?wait=1`, {
      ...keyed('', { input: { table: 'x' }, overlap: 'queue', more: 1 }),
    });

    expect(answer.body?.['errors']).toEqual([
      { path: '?wait', message: 'unknown; nothing is asked here' },
      {
        path: 'Idempotency-Key',
        message: 'expected one value of 1 to 255 printable ASCII characters',
      },
      { path: '/more', message: 'unknown field; known here: input, overlap' },
      { path: '/overlap', message: 'only "allow" may be asked for' },
      { path: '/input/table', message: 'too short' },
    ]);
    expect(await service.runs()).toEqual([]);
  });

  test('is a part of the trace that is given, and of none that is none', async () => {
    const { ask } = await serve([load]);
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const body = { input: { table: 'users' } };

    const traced = await ask('POST', runs('load'), json(body, { traceparent }));
    const odd = await ask(
      'POST',
      runs('load'),
      json({ ...body, overlap: 'allow' }, { traceparent: 'x' }),
    );

    expect(traced.body?.['traceparent']).toContain('4bf92f3577b34da6a3ce929d0e0e4736');
    expect([odd.status, odd.body?.['traceparent']]).toEqual([202, expect.stringMatching(/^00-/)]);
  });
});

describe('a run that is waited for', () => {
  test('that does not end is answered as it is when the time is over', async () => {
    const { service, ask } = await serve([waits('slow')]);
    const before = service.clock.monotonic();

    const asking = ask('POST', runs('slow'), json({}, { Prefer: 'respond-async, wait=5' }));
    const answer = await whileTimePasses(service, asking);

    expect([answer.status, answer.body?.['state']]).toEqual([202, 'running']);
    expect(answer.headers.get('preference-applied')).toBe('wait=5');
    expect(service.clock.monotonic() - before).toBeLessThan(10_000);
  });

  test('and is over already is answered at once, by its key', async () => {
    const { service, ask } = await serve([load]);
    const request = keyed('k', { input: { table: 'users' } }, { Prefer: 'wait=60' });
    await whileTimePasses(service, ask('POST', runs('load'), request));

    const again = await ask('POST', runs('load'), request);

    expect([again.status, again.body?.['state']]).toEqual([200, 'succeeded']);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test('is waited for no longer when whoever asked is gone', async () => {
    const { service, ask } = await serve([waits('slow')]);
    const { store } = service.deps;
    const gone = new AbortController();
    const request = json({}, { Prefer: 'wait=100' });
    const asking = ask('POST', runs('slow'), { ...request, signal: gone.signal });
    const looks = (): number => store.calls?.get('read a run') ?? 0;
    await expect.poll(looks).toBeGreaterThan(0);

    gone.abort();
    await expect(asking).rejects.toThrow(/abort/);
    const looksInTenSeconds = async (): Promise<number> => {
      const before = looks();
      for (let turn = 0; turn < 20; turn += 1) await service.clock.advance(500);
      return looks() - before;
    };

    // That somebody has gone is noticed a moment later.
    await expect.poll(looksInTenSeconds, { interval: 500 }).toBe(0);
    expect(service.clock.monotonic()).toBeLessThan(90_000);
  });

  test('is waited for no longer when the service shuts down', async () => {
    const { service, ask } = await serve([waits('slow', { overlap: 'queue' })]);
    await ask('POST', runs('slow'));
    const asking = ask('POST', runs('slow'), json({}, { Prefer: 'wait=100' }));
    await expect.poll(async () => (await service.runs()).length).toBe(2);

    void service.deps.runner.drain(service.deps, 4000);
    const answer = await whileTimePasses(service, asking);

    expect([answer.status, answer.body?.['state']]).toEqual([202, 'queued']);
    expect(service.clock.monotonic()).toBeLessThan(5000);
  });

  test('and is too many to wait for is refused, and started all the same', async () => {
    const { service, ask } = await serve([waits('slow', { overlap: 'queue' })]);
    const request = keyed('k', {}, { Prefer: 'wait=3' });

    const asking = Array.from({ length: 105 }, () => ask('POST', runs('slow'), request));
    const answers = await whileTimePasses(service, Promise.all(asking));
    const statuses = answers.map(({ status }) => status);

    expect(statuses.filter((status) => status === 202)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    expect(await service.runs()).toHaveLength(1);
  });
});

describe('an Idempotency-Key', () => {
  test.each([
    ['empty', ''],
    ['of blanks', '   '],
    ['of 256 characters', 'k'.repeat(256)],
    ['of 300 characters', 'k'.repeat(300)],
    ['that is not ASCII', 'schl\u00fcssel'],
    ['with a control character', 'a\tb'],
  ])('%s is refused, and starts nothing', async (_what, key) => {
    const { service, ask } = await serve([byHand({})]);

    const answer = await ask('POST', runs('job'), keyed(key));

    expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
    expect(await service.runs()).toEqual([]);
  });

  test('that is there twice is refused, and starts nothing', async () => {
    const { service, url } = await serve([byHand({})]);
    const text = post(runs('job'), '{}').replace(
      '\r\n',
      '\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n',
    );

    const answer = await tell(url, text);

    expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
    expect(await service.runs()).toEqual([]);
  });

  test('of 255 characters, or full of markup, is one like any other, and is shown nowhere', async () => {
    const { service, ask } = await serve([byHand({})]);
    const keys = ['k'.repeat(255), '<script>alert(1)</script>', '"; DROP TABLE runs; --'];

    const answers = [];
    for (const key of keys) {
      answers.push(await ask('POST', runs('job'), keyed(key)));
      await service.idle();
    }

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(answers.every(({ text }) => !text.includes('script'))).toBe(true);
    expect(await service.runs()).toHaveLength(3);
  });

  test('of another request is refused: another input, beside, or a rerun', async () => {
    const { service, ask } = await serve([load]);
    const first = await ask('POST', runs('load'), keyed('k', { input: { table: 'users' } }));
    await service.idle();

    const others = [
      await ask('POST', runs('load'), keyed('k', { input: { table: 'orders' } })),
      await ask('POST', runs('load'), keyed('k', { input: { table: 'users' }, overlap: 'allow' })),
      await ask('POST', of(first.body?.['id'], '/reruns'), keyed('k')),
    ];

    expect(others.map(({ body }) => body?.['type'])).toEqual(
      Array.from({ length: 3 }, () => '/api/v1/docs#key-used-before'),
    );
    expect(others.map(({ status }) => status)).toEqual([422, 422, 422]);
    expect(await service.runs()).toHaveLength(1);
  });

  test('stands for one run of each job that it is used on', async () => {
    const { service, ask } = await serve([byHand({ name: 'a' }), byHand({ name: 'b' })]);

    const answers = [
      await ask('POST', runs('a'), keyed('k')),
      await ask('POST', runs('b'), keyed('k')),
    ];

    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect((await service.runs()).map((run) => run.job).toSorted()).toEqual(['a', 'b']);
  });
});

describe('a rerun', () => {
  async function ranOnce(): Promise<{ service: TestService; ask: Ask; id: unknown }> {
    const served = await serve([load]);
    const { body } = await served.ask('POST', runs('load'), json({ input: { table: 'users' } }));
    await served.service.idle();
    return { ...served, id: body?.['id'] };
  }

  test('is a new run with the input of the old one, which is its cause', async () => {
    const { service, ask, id } = await ranOnce();

    const answer = await ask('POST', of(id, '/reruns'));
    await service.idle();

    const again = await ask('GET', answer.headers.get('location') ?? '');
    expect(answer.status).toBe(202);
    expect(again.body).toMatchObject({ cause: id, state: 'succeeded', input: { table: 'users' } });
    expect(again.body?.['id']).not.toBe(id);
  });

  test('under one key is one run, asked for 50 times at once', async () => {
    const { service, ask, id } = await ranOnce();

    let answered = false;
    const asked = Promise.all(
      Array.from({ length: 50 }, () => ask('POST', of(id, '/reruns'), keyed('again'))),
    ).finally(() => (answered = true));
    // Those that lose against the one look again a moment later.
    for (; !answered; await pause(1)) await service.clock.advance(20);
    const answers = await asked;

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body?.['id'])).size).toBe(1);
    expect(await service.runs()).toHaveLength(2);
  });

  test('of occurrences that did not run is refused, and says what would be right', async () => {
    const { service, ask } = await serve([job({ schedule: '0 * * * *' })]);
    await service.wake('05:30:00');
    const range = (await service.runs()).find((run) => run.range !== null);

    const answer = await ask('POST', of(range?.id, '/reruns'));

    expect(answer.body).toMatchObject({ status: 409, title: 'Never ran' });
    expect(answer.body?.['detail']).toContain('backfill it');
  });

  test('while the job is busy is refused, unless it may run beside', async () => {
    const { ask } = await serve([waits('slow')]);
    const { body } = await ask('POST', runs('slow'));

    const busy = await ask('POST', of(body?.['id'], '/reruns'));
    const beside = await ask('POST', of(body?.['id'], '/reruns'), json({ overlap: 'allow' }));

    expect([busy.status, busy.body?.['type']]).toEqual([409, '/api/v1/docs#busy']);
    expect([beside.status, beside.body?.['state']]).toEqual([202, 'running']);
  });

  test('takes no input: the run has its own', async () => {
    const { ask, id } = await ranOnce();

    const answer = await ask('POST', of(id, '/reruns'), json({ input: { table: 'x2' } }));

    expect(answer.body?.['errors']).toEqual([
      { path: '/input', message: 'unknown field; known here: overlap' },
    ]);
  });
});

describe('a slot', () => {
  test('is taken from a run that does not stop', async () => {
    const deaf = byHand({ name: 'deaf', run: () => new Promise(() => undefined) });
    const { service, ask } = await serve([deaf]);
    const { body } = await ask('POST', runs('deaf'));

    const freed = await ask('POST', of(body?.['id'], '/free'));
    const again = await ask('POST', of(body?.['id'], '/free'));

    expect(freed.body).toMatchObject({ state: 'cancelled', error: { name: 'SlotFreed' } });
    expect([again.status, again.body?.['title']]).toEqual([409, 'Not running']);
    expect((await service.store.read('deaf')).record?.active).toEqual({});
  });
});

describe('a run that is there', () => {
  test('has its newest 100 attempts, and tells how many there are', async () => {
    const { service, ask } = await serve([byHand({ run: () => Promise.reject(new Error('no')) })]);
    const { body } = await ask('POST', runs('job'));
    await service.idle();
    const run = await service.lastRun();
    const attempts = Array.from({ length: 3000 }, (_, n) => ({ ...run.attempts[0], n: n + 1 }));
    const store = service.store;
    const loaded = await store.read('job');
    await store.commit({
      op: 'test',
      about: null,
      reads: 0,
      name: 'job',
      version: loaded.version,
      decidedAt: noon('00:00:00'),
      record: { ...loaded.record!, rev: loaded.record!.rev + 1 },
      create: [],
      update: [{ id: run.id, set: { attempts: attempts as never } }],
      specs: [],
      logs: [],
      actions: [],
    });

    const whole = await ask('GET', of(body?.['id']));

    expect(whole.body?.['attemptCount']).toBe(3000);
    expect(whole.body?.['attempts']).toHaveLength(100);
    expect(whole.body?.['attempts'].at(-1)).toMatchObject({ n: 3000, outcome: 'failed' });
  });
});
