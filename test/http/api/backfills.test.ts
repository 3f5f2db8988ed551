import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../../server/core/job.ts';
import { BACKFILLS_KEPT } from '../../../server/core/backfills.ts';
import { byHand, job, noon, type TestService } from '../../service.ts';
import { json, serve } from '../client.ts';
import { whileTimePasses } from './time.ts';
import { serveToTokens } from './tokens.ts';

const PATH = '/api/v1/jobs/job/backfills';
const span = (from: string, to: string) => ({
  from: `2026-03-01T${from}:00Z`,
  to: `2026-03-01T${to}:00Z`,
});
const keyed = (key: string, body: unknown): RequestInit => json(body, { 'Idempotency-Key': key });

/** Every ten minutes, and nothing of it ran until one o'clock. */
async function afterOutage() {
  const served = await serve([job({ schedule: '*/10 * * * *', catchUp: { runs: 'none' } })]);
  await served.service.wake('01:00:00');
  await served.service.idle();
  return served;
}

/** Lets a backfill open its runs, one after another. */
async function through(service: TestService): Promise<void> {
  for (const minute of ['01:01', '01:02', '01:03', '01:04', '01:05']) {
    await service.wake(`${minute}:00`);
    await service.idle();
  }
}

const opened = async (service: TestService) =>
  (await service.runs()).filter(({ trigger }) => trigger === 'backfill');

describe('a backfill', () => {
  test('opens a run for each occurrence of its time, whose ends both belong to it', async () => {
    const { service, ask } = await afterOutage();

    const started = await ask('POST', PATH, json(span('00:20', '00:40')));
    const during = await ask('GET', PATH);
    await through(service);
    const after = await ask('GET', started.headers.get('location') ?? '');

    expect(started.status).toBe(202);
    expect(started.body).toMatchObject({
      job: 'job',
      from: '2026-03-01T00:20:00.000Z',
      to: '2026-03-01T00:40:00.000Z',
      state: 'running',
      progress: { total: { count: 3, atLeast: false } },
      requestedBy: null,
      requestedAt: '2026-03-01T01:00:00.000Z',
      endedAt: null,
    });
    expect(during.body?.['backfills']).toMatchObject([
      { id: started.body?.['id'], state: 'running' },
    ]);
    expect(after.body).toMatchObject({
      state: 'done',
      openedUpTo: '2026-03-01T00:40:00.000Z',
      progress: null,
      endedAt: expect.stringMatching(/^2026-03-01T01:0/),
    });
    const runs = await opened(service);
    expect(new Set(runs.map(({ scheduledAt }) => scheduledAt))).toEqual(
      new Set(['00:20:00', '00:30:00', '00:40:00'].map(noon)),
    );
    expect(new Set(runs.map(({ backfillOf }) => backfillOf))).toEqual(
      new Set([started.body?.['id']]),
    );
  });

  test('under one key is one, asked for 50 times at once', async () => {
    const { service, ask } = await afterOutage();
    const request = keyed('k', span('00:20', '00:40'));

    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('POST', PATH, request)));
    await through(service);

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body?.['id'])).size).toBe(1);
    const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
    expect(replayed).toHaveLength(49);
    expect(await opened(service)).toHaveLength(3);
  });

  test('under one key is one also when it is over, and opens nothing again', async () => {
    const { service, ask } = await afterOutage();
    const request = keyed('k', span('00:20', '00:40'));
    const first = await ask('POST', PATH, request);
    await through(service);

    const again = await ask('POST', PATH, request);
    await through(service);

    expect([again.status, again.body?.['id']]).toEqual([202, first.body?.['id']]);
    expect(again.body?.['state']).toBe('done');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await opened(service)).toHaveLength(3);
  });

  test('under a key that stands for another time is refused, under way and over', async () => {
    const { service, ask } = await afterOutage();
    await ask('POST', PATH, keyed('k', span('00:20', '00:40')));

    const during = await ask('POST', PATH, keyed('k', span('00:20', '00:30')));
    await through(service);
    const after = await ask('POST', PATH, keyed('k', span('00:10', '00:40')));

    const expected = { status: 422, type: '/api/v1/docs#key-used-before' };
    expect([during.body, after.body]).toMatchObject([expected, expected]);
    expect(await opened(service)).toHaveLength(3);
  });

  test('without a key is a new one each time, and refused while another is under way', async () => {
    const { service, ask } = await afterOutage();
    const first = await ask('POST', PATH, json(span('00:20', '00:40')));

    const busy = await ask('POST', PATH, json(span('00:20', '00:40')));
    await through(service);
    const second = await ask('POST', PATH, json(span('00:20', '00:40')));

    expect(busy.body).toMatchObject({ status: 409, type: '/api/v1/docs#busy' });
    expect(second.status).toBe(202);
    expect(second.body?.['id']).not.toBe(first.body?.['id']);
  });

  test('that is ended opens no more, and says how far it came', async () => {
    const { service, ask } = await serve([
      job({
        schedule: '*/10 * * * *',
        run: ({ trigger, signal }: JobContext) =>
          trigger !== 'backfill' ||
          new Promise((resolve) => signal.addEventListener('abort', resolve)),
      } as never),
    ]);
    await service.wake('01:00:00');
    await service.idle();
    const started = await ask('POST', PATH, json(span('00:20', '00:40')));
    await service.wake('01:01:00');
    const location = started.headers.get('location') ?? '';
    const during = await ask('GET', location);

    const ended = await ask('DELETE', location);
    const again = await ask('DELETE', location);
    await service.wake('01:02:00');

    expect([ended.status, again.status]).toEqual([200, 200]);
    expect(during.body).toMatchObject({
      state: 'running',
      progress: { opened: { count: 1, atLeast: false }, total: { count: 3, atLeast: false } },
    });
    const openedUpTo = '2026-03-01T00:20:00.000Z';
    expect(ended.body).toMatchObject({ state: 'ended', progress: null, openedUpTo });
    expect(again.body).toEqual(ended.body);
    expect(await opened(service)).toHaveLength(1);
  });

  test('is remembered with the others of the job, the last 20 of them, newest first', async () => {
    const { service, ask } = await afterOutage();
    for (let n = 0; n < BACKFILLS_KEPT + 3; n += 1) {
      await ask('POST', PATH, keyed(`k${n}`, span('00:20', '00:20')));
      await service.wake(`01:00:${n + 10}`);
      await service.idle();
    }

    const { body } = await ask('GET', PATH);
    const kept = await ask('POST', PATH, keyed('k3', span('00:20', '00:20')));
    const forgotten = await ask('POST', PATH, keyed('k0', span('00:20', '00:20')));
    await whileTimePasses(service, service.wake('01:00:50'));
    await service.idle();

    expect(body?.['backfills']).toHaveLength(BACKFILLS_KEPT);
    expect(body?.['backfills'][0].state).toBe('done');
    expect(kept.headers.get('idempotent-replayed')).toBe('true');
    // Its run is on record, so even then nothing runs twice.
    expect(forgotten.status).toBe(202);
    expect(await opened(service)).toHaveLength(BACKFILLS_KEPT + 3);
  });

  test('is on record with who asked for it, and who ended it', async () => {
    const { service, as } = await serveToTokens([job({ schedule: '*/10 * * * *' })]);
    const ask = await as('deploy', 'operator', null);
    await service.wake('01:00:00');
    const { body } = await ask('POST', PATH, json(span('00:20', '00:40')));

    await ask('DELETE', `${PATH}/${body?.['id']}`);

    expect(body?.['requestedBy']).toBe('deploy');
    const { actions } = await service.store.listActions({ limit: 2, job: 'job' });
    expect(new Set(actions.map((one) => `${one.action} by ${one.by}`))).toEqual(
      new Set(['backfill by deploy', 'end-backfill by deploy']),
    );
  });

  test.each([
    [
      {},
      [
        ['/from', /expected an instant/],
        ['/to', /expected an instant/],
      ],
    ],
    [span('00:40', '00:20'), [['/to', /lies before the beginning/]]],
    [span('00:40', '23:20'), [['/to', /lies in the future/]]],
    [
      span('22:00', '21:00'),
      [
        ['/from', /lies in the future/],
        ['/to', /lies in the future/],
        ['/to', /lies before/],
      ],
    ],
    [{ ...span('00:20', '00:40'), until: 1 }, [['/until', /unknown field; known here: from, to/]]],
    [
      { from: 20, to: null },
      [
        ['/from', /expected an instant/],
        ['/to', /expected an instant/],
      ],
    ],
  ] as const)('of %j is refused, and opens nothing', async (body, problems) => {
    const { service, ask } = await afterOutage();

    const answer = await ask('POST', PATH, json(body));

    expect(answer.status).toBe(400);
    expect(answer.body?.['errors']).toEqual(
      problems.map(([path, message]) => ({ path, message: expect.stringMatching(message) })),
    );
    expect((await service.store.read('job')).record?.backfill).toBeNull();
  });

  test('of a time without occurrences, or of a job that has none, is refused', async () => {
    const { service, ask } = await serve([
      job({ schedule: '0 * * * *' }),
      byHand({ name: 'hand' }),
    ]);
    await service.wake('02:00:00');

    const empty = await ask('POST', PATH, json(span('01:10', '01:20')));
    const never = await ask('POST', '/api/v1/jobs/hand/backfills', json(span('00:10', '01:20')));

    const expected = { status: 409, type: '/api/v1/docs#nothing-to-do' };
    expect([empty.body, never.body]).toMatchObject([expected, expected]);
  });

  test.each([
    ['GET', '/api/v1/jobs/nobody/backfills', 'no-such-job'],
    ['POST', '/api/v1/jobs/nobody/backfills', 'no-such-job'],
    ['GET', `${PATH}/none`, 'no-such-backfill'],
    ['DELETE', `${PATH}/none`, 'no-such-backfill'],
    ['DELETE', '/api/v1/jobs/nobody/backfills/none', 'no-such-job'],
  ])('%s %s is 404', async (method, path, slug) => {
    const { ask } = await afterOutage();
    const init = method === 'POST' ? json(span('00:20', '00:40')) : {};

    const answer = await ask(method, path, init);

    expect(answer.body).toMatchObject({ status: 404, type: `/api/v1/docs#${slug}` });
  });
});
