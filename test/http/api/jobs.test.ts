import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { byHand, job } from '../../service.ts';
import { json, serve } from '../client.ts';

const names = (body: Record<string, any> | undefined): string[] =>
  body?.['jobs'].map(({ name }: { readonly name: string }) => name);

describe('the list of jobs', () => {
  test('comes page by page, in the order of names, and each job once', async () => {
    const { ask } = await serve(['e', 'c', 'a', 'd', 'b'].map((name) => byHand({ name })));

    const first = await ask('GET', '/api/v1/jobs?limit=2');
    const second = await ask('GET', `/api/v1/jobs?limit=2&cursor=${first.body?.['next']}`);
    const third = await ask('GET', `/api/v1/jobs?limit=2&cursor=${second.body?.['next']}`);

    expect([first, second, third].map(({ body }) => names(body))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e'],
    ]);
    expect(third.body?.['next']).toBeNull();
  });

  test('that is as long as its page ends with it', async () => {
    const { ask } = await serve([byHand({ name: 'a' }), byHand({ name: 'b' })]);

    const { body } = await ask('GET', '/api/v1/jobs?limit=2');

    expect([names(body), body?.['next']]).toEqual([['a', 'b'], null]);
  });

  test('can be narrowed down to a state and to a tag, also page by page', async () => {
    const { ask } = await serve([
      job({ name: 'a', tags: ['x'] }),
      job({ name: 'b', tags: ['x', 'y'] }),
      job({ name: 'c', tags: ['x'] }),
      job({ name: 'd' }),
    ]);
    for (const name of ['b', 'c', 'd']) await ask('PUT', `/api/v1/jobs/${name}/pause`);

    const paused = await ask('GET', '/api/v1/jobs?state=paused');
    const both = await ask('GET', '/api/v1/jobs?state=paused&tag=x&limit=1');
    const more = await ask(
      'GET',
      `/api/v1/jobs?state=paused&tag=x&limit=1&cursor=${both.body?.['next']}`,
    );
    const none = await ask('GET', '/api/v1/jobs?tag=z');

    expect(names(paused.body)).toEqual(['b', 'c', 'd']);
    expect([names(both.body), names(more.body), names(none.body)]).toEqual([['b'], ['c'], []]);
  });

  test('with a filter looks through so many jobs at once, and says where it stopped', async () => {
    const many = Array.from({ length: 2005 }, (_, n) =>
      byHand({ name: `j${String(n).padStart(4, '0')}`, tags: n === 2004 ? ['last'] : [] }),
    );
    const { ask } = await serve(many);

    const first = await ask('GET', '/api/v1/jobs?tag=last');
    const second = await ask('GET', `/api/v1/jobs?tag=last&cursor=${first.body?.['next']}`);

    expect([names(first.body), first.body?.['next']]).toEqual([[], 'j1999']);
    expect([names(second.body), second.body?.['next']]).toEqual([['j2004'], null]);
  });

  test.each([
    ['state=done', '?state', /expected idle, running, waiting, paused, retired or broken/],
    ['limit=501', '?limit', /expected a whole number from 1 to 500/],
    ['cursor=UPPER', '?cursor', /was not given out by this list/],
  ])('refuses ?%s in words', async (query, path, message) => {
    const { ask } = await serve([]);

    const { status, body } = await ask('GET', `/api/v1/jobs?${query}`);

    expect(status).toBe(400);
    expect(body?.['errors']).toEqual([{ path, message: expect.stringMatching(message) }]);
  });
});

describe('one job', () => {
  const input = toStandardJsonSchema(
    v.object({ table: v.pipe(v.string(), v.description('Which one.')) }),
  );

  test('tells its policies, its input as JSON Schema, and what comes next', async () => {
    const { ask } = await serve([
      job({
        name: 'load',
        description: 'Loads a table.',
        schedule: '0 * * * *',
        overlap: { allow: 2 },
        retry: { attempts: 3 },
        input,
      } as never),
    ]);

    const { body } = await ask('GET', '/api/v1/jobs/load');

    expect(body).toMatchObject({
      name: 'load',
      description: 'Loads a table.',
      known: true,
      policies: { overlap: { allow: 2 }, retry: { attempts: 3, backoff: { fromMs: 10_000 } } },
      input: {
        declared: true,
        schema: {
          type: 'object',
          properties: { table: { type: 'string', description: 'Which one.' } },
        },
      },
      registeredAt: '2026-03-01T00:00:00.000Z',
      build: 'test',
    });
    expect(body?.['upcoming']).toEqual(
      ['01', '02', '03', '04', '05'].map((hour) => ({
        job: 'load',
        scheduledAt: `2026-03-01T${hour}:00:00.000Z`,
        paused: false,
      })),
    );
  });

  test('that is paused says so, and of what comes next what it will skip', async () => {
    const { ask } = await serve([job({ schedule: '0 * * * *' })]);
    const body = { note: 'move', until: '2026-03-01T02:30:00Z' };
    await ask('PUT', '/api/v1/jobs/job/pause', json(body));

    const shown = await ask('GET', '/api/v1/jobs/job');

    expect(shown.body).toMatchObject({
      state: 'paused',
      paused: { note: 'move', until: '2026-03-01T02:30:00.000Z' },
      nextScheduledAt: '2026-03-01T03:00:00.000Z',
    });
    const paused = shown.body?.['upcoming'].map((one: { paused: boolean }) => one.paused);
    expect(paused).toEqual([true, true, false, false, false]);
  });

  test('that runs only by hand has nothing to come, and takes anything', async () => {
    const { ask } = await serve([byHand({})]);

    const { body } = await ask('GET', '/api/v1/jobs/job');

    expect(body).toMatchObject({
      schedule: null,
      upcoming: [],
      input: { declared: false },
      isolate: null,
    });
    expect(body?.['input'].schema).toBeNull();
  });

  test('whose record is damaged is told of as that', async () => {
    const { service, ask } = await serve([job({})]);
    const { version } = await service.store.read('job');
    const problem = { name: 'job', version: version ?? '', until: 9e12, problem: 'field x is odd' };
    await service.store.quarantine(problem);

    const { body } = await ask('GET', '/api/v1/jobs/job');

    expect(body).toMatchObject({ state: 'broken', problem: 'field x is odd' });
  });
});

describe('a pause', () => {
  test('is shown at its own address, and gone with a resume', async () => {
    const { service, ask } = await serve([job({})]);
    await ask('PUT', '/api/v1/jobs/job/pause', json({ note: 'move' }));
    await service.clock.advance(60_000);

    const during = await ask('GET', '/api/v1/jobs/job/pause');
    const resumed = await ask('DELETE', '/api/v1/jobs/job/pause');
    const after = await ask('GET', '/api/v1/jobs/job/pause');

    const at = '2026-03-01T00:00:00.000Z';
    expect(during.body).toEqual({
      job: 'job',
      paused: { at, by: null, note: 'move', until: null },
    });
    expect([resumed.status, resumed.body?.['state']]).toEqual([200, 'idle']);
    expect(after.body).toEqual({ job: 'job', paused: null });
  });

  test('can be sent as null and nothing, and again with other words', async () => {
    const { ask } = await serve([job({})]);

    const first = await ask('PUT', '/api/v1/jobs/job/pause', json({ note: null, until: null }));
    const second = await ask('PUT', '/api/v1/jobs/job/pause', json({ note: 'longer' }));

    expect([first.status, first.body?.['paused'].note]).toEqual([200, null]);
    expect([second.status, second.body?.['paused'].note]).toEqual([200, 'longer']);
  });

  test('of which several things are not right is told of all of them at once', async () => {
    const { ask } = await serve([job({})]);
    const body = { note: 'x'.repeat(501), until: 'tomorrow', untill: 1, by: 'me' };

    const answer = await ask('PUT', '/api/v1/jobs/job/pause?dry=1', json(body));

    expect(answer.status).toBe(400);
    expect(answer.body?.['errors']).toEqual([
      { path: '?dry', message: 'unknown; nothing is asked here' },
      { path: '/untill', message: 'unknown field; known here: note, until' },
      { path: '/by', message: 'unknown field; known here: note, until' },
      { path: '/note', message: 'expected text of at most 500 characters' },
      { path: '/until', message: 'expected an instant such as 2026-03-07T07:30:00Z' },
    ]);
    expect((await ask('GET', '/api/v1/jobs/job/pause')).body?.['paused']).toBeNull();
  });

  test.each([['GET'], ['PUT'], ['DELETE']])('%s of no job is 404', async (method) => {
    const { ask } = await serve([]);

    const answer = await ask(method, '/api/v1/jobs/nobody/pause');

    expect(answer.body).toMatchObject({ status: 404, type: '/api/v1/docs#no-such-job' });
  });
});
