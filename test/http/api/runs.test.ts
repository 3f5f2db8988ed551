import { describe, expect, test } from 'vitest';
import { byHand, job, noon } from '../../service.ts';
import { action } from '../../builders.ts';
import { serve, type Answer } from '../client.ts';
import { pastRuns, record } from '../history.ts';

const ids = ({ body }: Answer): string[] => body?.['runs'].map(({ id }: { id: string }) => id);
const DAY = 86_400_000;
const past = (count: number, until = noon('00:00:00') - DAY) =>
  pastRuns('job', { count, until, every: 60_000 });

describe('runs', () => {
  test('come page by page, each once, whatever is added and ends meanwhile', async () => {
    const { service, ask } = await serve([job({})]);
    await record(service, 'job', { runs: past(25) });
    const seen: string[] = [];
    let cursor = '';

    for (let page = 0; page < 10; page += 1) {
      const answer = await ask('GET', `/api/v1/runs?job=job&limit=4${cursor}`);
      seen.push(...ids(answer));
      if (answer.body?.['next'] === null) break;
      cursor = `&cursor=${encodeURIComponent(answer.body?.['next'])}`;
      // Newer than all that is listed, and older than all.
      const newer = past(1, noon('00:00:00') - DAY + (page + 1) * 60_000);
      await record(service, 'job', { runs: newer });
    }

    expect(seen).toEqual(
      past(25)
        .map(({ id }) => id)
        .toReversed(),
    );
  });

  test('of one job are found at its own address, too', async () => {
    const { service, ask } = await serve([job({}), job({ name: 'other' })]);
    await record(service, 'job', { runs: past(3) });

    const own = await ask('GET', '/api/v1/jobs/job/runs?limit=2');
    const more = await ask('GET', `/api/v1/jobs/job/runs?limit=2&cursor=${own.body?.['next']}`);
    const none = await ask('GET', '/api/v1/jobs/other/runs');
    const nobody = await ask('GET', '/api/v1/jobs/nobody/runs');

    expect([ids(own).length, ids(more).length, ids(none).length]).toEqual([2, 1, 0]);
    expect([own, more, none].every(({ body }) => body?.['job'] === undefined)).toBe(true);
    expect(nobody.body).toMatchObject({ status: 404, title: 'No such job' });
  });

  test('can be narrowed down by trigger, state and time, of which the first instant is left out', async () => {
    const { service, ask } = await serve([job({})]);
    const made = past(6).map((run, n) => ({
      ...run,
      ...(n % 2 === 0 && { state: 'failed' as const }),
    }));
    await record(service, 'job', { runs: made });
    const iso = (n: number): string => new Date(made[n]?.at ?? 0).toISOString();

    const since = await ask('GET', `/api/v1/runs?since=${iso(1)}&until=${iso(4)}`);
    const failed = await ask(
      'GET',
      `/api/v1/runs?since=${iso(1)}&until=${iso(4)}&state=failed,lost`,
    );
    const byHandOnly = await ask('GET', '/api/v1/runs?trigger=manual');

    expect(ids(since)).toEqual([4, 3, 2].map((n) => made[n]?.id));
    expect(ids(failed)).toEqual([4, 2].map((n) => made[n]?.id));
    expect(ids(byHandOnly)).toEqual([]);
  });

  test('are short in a list: what can be long is told of one run alone', async () => {
    const { service, ask } = await serve([byHand({ run: () => Promise.reject(new Error('no')) })]);
    const { body } = await ask('POST', '/api/v1/jobs/job/runs');
    await service.idle();

    const list = await ask('GET', '/api/v1/runs');
    const one = await ask('GET', `/api/v1/runs/${encodeURIComponent(body?.['id'])}`);

    const [listed] = list.body?.['runs'] ?? [];
    expect(listed).toMatchObject({ attemptCount: 1, error: { message: 'no', stack: null } });
    expect(Object.keys(listed)).not.toContain('input');
    expect(one.body?.['error'].stack).toContain('Error: no');
  });

  test('of a cursor of another list are refused', async () => {
    const { service, ask } = await serve([job({}), job({ name: 'other' })]);
    await record(service, 'job', { runs: past(3) });
    const { body } = await ask('GET', '/api/v1/runs?job=job&limit=1');

    const answer = await ask('GET', `/api/v1/runs?job=other&limit=1&cursor=${body?.['next']}`);

    expect(answer.body).toMatchObject({
      status: 400,
      type: '/api/v1/docs#bad-cursor',
      errors: [{ path: '?cursor', message: expect.stringContaining('start without one') }],
    });
  });

  test.each([
    ['x=1&limit=0&since=now&state=done&job=UPPER&trigger=clock', 6, 0],
    ['limit=1&limit=2', 1, 1],
    ['job=a&job=b&state=failed&state=lost', 2, 2],
    [`cursor=${'x'.repeat(1001)}`, 1, 0],
  ])('of ?%s are refused, with every problem at once', async (query, count, twice) => {
    const { ask } = await serve([]);

    const { status, body } = await ask('GET', `/api/v1/runs?${query}`);

    const errors: { path: string; message: string }[] = body?.['errors'] ?? [];
    const given = errors.filter(({ message }) => message === 'may be given only once');
    expect([status, errors.length, given.length]).toEqual([400, count, twice]);
    expect(errors.every(({ path }) => path.startsWith('?'))).toBe(true);
  });
});

describe('actions', () => {
  test('come page by page, newest first, of all jobs or of one', async () => {
    const { service, ask } = await serve([job({}), job({ name: 'other' })]);
    const actions = Array.from({ length: 5 }, (_, n) =>
      action({ id: `a${n}`, at: noon('00:00:00') + n, job: 'job', detail: `n${n}`, runId: null }),
    );
    await record(service, 'job', { actions });

    const first = await ask('GET', '/api/v1/actions?job=job&limit=3');
    const second = await ask(
      'GET',
      `/api/v1/actions?job=job&limit=3&cursor=${encodeURIComponent(first.body?.['next'])}`,
    );
    const other = await ask('GET', '/api/v1/actions?job=other');
    const nobody = await ask('GET', '/api/v1/actions?job=nobody');

    const told = (answer: Answer) =>
      answer.body?.['actions'].map(({ detail }: { detail: string }) => detail);
    expect([told(first), told(second), told(other)]).toEqual([
      ['n4', 'n3', 'n2'],
      ['n1', 'n0'],
      [],
    ]);
    expect(first.body?.['actions'][0]).toMatchObject({ by: 'ada', action: 'pause', job: 'job' });
    expect(nobody.status).toBe(404);
  });
});
