import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { logChunk } from '../builders.ts';
import { byHand, job, noon } from '../service.ts';
import { cost, HTMX, serve, type Ask } from './client.ts';
import { echo, FLUSH_MS, pathOf, started, waiting } from './runs.ts';

/** As the page's own poll asks. */
const POLL = { ...HTMX, 'HX-PTag': 'none', 'HX-Source': 'div#poller' };

const post = (ask: Ask, path: string, body = '', headers: Record<string, string> = HTMX) =>
  ask('POST', path, {
    body,
    redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });

const deaf = byHand({ name: 'deaf', run: () => new Promise(() => undefined) });

describe('the page of a run', () => {
  test('reads the run, its job and its log: three reads', async () => {
    const { ask, run } = await started([echo], 'echo');

    const { text, status } = await ask('GET', pathOf(run));

    expect(status).toBe(200);
    expect(cost({ text })).toBe('3 store reads, 3 records');
    expect(text).toContain('<span>done</span>');
  });

  test('that asks again reads the run, its job and the newest of its log, and sends no log', async () => {
    const { ask, run, service } = await started([waiting], 'waits');
    await service.clock.advance(FLUSH_MS);

    const first = await ask('GET', pathOf(run));
    const again = await ask('GET', pathOf(run), { headers: POLL });
    const tag = again.headers.get('HX-PTag') ?? '';
    const same = await ask('GET', pathOf(run), { headers: { ...POLL, 'HX-PTag': tag } });

    expect(first.text).toContain('at work');
    expect(cost(again)).toBe('3 store reads, 3 records');
    expect(again.text).toContain('<section id="log" hx-morph-skip></section>');
    expect(again.text).not.toContain('at work');
    expect(again.text).toContain('<progress value="0.25"');
    expect(same.status).toBe(304);
  });

  test('of occurrences that did not run needs no log', async () => {
    const { ask, service } = await serve([job({ name: 'minutely' })]);
    await service.wake('00:01');
    await service.wake('01:00');
    const missed = (await service.runs()).find(({ state }) => state === 'missed');

    const { text } = await ask('GET', pathOf(missed!));

    expect(cost({ text })).toBe('2 store reads, 2 records');
    expect(text).toContain('nothing was there to start them when due');
    expect(text).not.toContain('id="log"');
  });

  test('with a log of a million bytes is within 150 KB, and two reads of it', async () => {
    const { ask, run, service } = await started([echo], 'echo');
    const lines = Array.from({ length: 60 }, (_, i) => ({
      at: noon('00:00'),
      level: 'error' as const,
      text: `${i} ${'<&"'.repeat(5000)}`.slice(0, 8192),
      fields: '"'.repeat(8000),
    }));
    for (let n = 0; n < 20; n += 1) {
      await service.store.appendLog(logChunk({ runId: run.id, n, first: n * 60, lines }));
    }

    const { text } = await ask('GET', pathOf(run));

    expect(Buffer.byteLength(text)).toBeLessThan(150_000);
    expect(text).toContain('Earlier lines');
    expect(cost({ text })).toBe('3 store reads, 18 records');
  });

  test('tells what is wrong with its address', async () => {
    const { ask, run } = await started([echo], 'echo');

    const level = await ask('GET', pathOf(run, '?level=loud'));
    const place = await ask('GET', pathOf(run, '?before=x'));
    const long = await ask('GET', pathOf(run, `?text=${'x'.repeat(201)}`));
    const none = await ask('GET', '/runs/echo!none');

    expect([level, place, long, none].map(({ status }) => status)).toEqual([400, 400, 400, 404]);
    expect(level.text).toContain('expected one of debug, info, warn, error');
    expect(long.text).toContain('expected at most 200 characters');
  });
});

describe('a cancel', () => {
  test('is answered with words and the page as it is, without its log', async () => {
    const { ask, run, service } = await started([waiting], 'waits');

    const answer = await post(ask, pathOf(run, '/cancel'));
    await service.clock.advance(FLUSH_MS);
    const page = await ask('GET', pathOf(run));

    expect(answer.text).toContain('The run is told to stop.');
    expect(answer.text).toContain('<section id="log" hx-morph-skip></section>');
    expect(page.text).toContain('the run was cancelled');
  });

  test('without a script leads back to the page', async () => {
    const { ask, run } = await started([waiting], 'waits');

    const answer = await post(ask, pathOf(run, '/cancel'), '', {});

    expect([answer.status, answer.headers.get('location')]).toEqual([303, pathOf(run)]);
  });

  test('that the handler does not heed leaves its slot to be freed', async () => {
    const { ask, run, service } = await started([deaf], 'deaf');
    await post(ask, pathOf(run, '/cancel'));
    const asked = await ask('GET', pathOf(run));
    await service.clock.advance(60_000);
    const overdue = await ask('GET', pathOf(run));

    const freed = await post(ask, pathOf(run, '/free'));
    const after = await service.lastRun();

    expect(asked.text).not.toContain('/free"');
    expect(overdue.text).toContain('/free"');
    expect(freed.text).toContain('Its slot is free. The handler may still be working.');
    expect([after.state, after.error?.name]).toEqual(['cancelled', 'SlotFreed']);
  });
});

describe('running again', () => {
  const taking = byHand({ name: 'takes', run: ({ input }: JobContext) => input });
  const key = (text: string): string => {
    const value = /name="key" value="([^"]+)"/.exec(text)?.[1] ?? '';
    return new URLSearchParams({ key: value }).toString();
  };

  test('starts a new run with the same input, says what it repeats, and goes to it', async () => {
    const { ask, run, service } = await started([taking], 'takes', { day: 4 });
    const page = await ask('GET', pathOf(run));

    const answer = await post(ask, pathOf(run, '/reruns'), key(page.text));
    await service.settle();
    const newest = (await service.runs()).find(({ id }) => id !== run.id);
    const there = await ask('GET', answer.headers.get('HX-Redirect') ?? '');

    expect(answer.status).toBe(201);
    expect(newest).toMatchObject({ input: '{"day":4}', output: '{"day":4}', cause: run.id });
    expect(answer.headers.get('HX-Redirect')).toBe(pathOf(newest!));
    expect(there.text).toContain('<dt>Repeats</dt>');
  });

  test('at two clicks is one run; whoever looks again can ask again', async () => {
    const { ask, run, service } = await started([taking], 'takes');
    const page = await ask('GET', pathOf(run));

    const first = await post(ask, pathOf(run, '/reruns'), key(page.text), {});
    const second = await post(ask, pathOf(run, '/reruns'), key(page.text), {});
    await service.settle();
    const again = await ask('GET', pathOf(run));
    await post(ask, pathOf(run, '/reruns'), key(again.text), {});
    await service.settle();

    expect(first.status).toBe(303);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(await service.runs()).toHaveLength(3);
  });

  test('is refused in words where the job is busy, or what did not run is to run again', async () => {
    const { ask, run, service } = await started([waiting, job({ name: 'minutely' })], 'waits');
    const busy = await post(ask, pathOf(run, '/reruns'));
    await service.wake('00:01');
    await service.wake('01:00');
    const missed = (await service.runs('minutely')).find(({ state }) => state === 'missed');

    const never = await post(ask, pathOf(missed!, '/reruns'));

    expect([busy.status, never.status]).toEqual([409, 409]);
    expect(busy.text).toContain('is unfinished, and the job skips what overlaps');
    expect(never.text).toContain('backfill');
  });

  test('is nothing that another site can ask for', async () => {
    const { ask, run } = await started([taking], 'takes');

    const answer = await post(ask, pathOf(run, '/reruns'), '', { Origin: 'https://evil.example' });

    expect(answer.status).toBe(403);
  });
});

describe('the runs before and after one', () => {
  test('are found in history, however far they lie', async () => {
    const { ask, service } = await serve([job({ name: 'hourly', schedule: '0 * * * *' })]);
    for (const at of ['01:00', '02:00', '03:00']) await service.wake(at);
    const [first, second, third] = await service.runs();
    const goes = async (run: Run, way: string) =>
      (await ask('GET', pathOf(run, way), { redirect: 'manual' })).headers.get('location');

    expect(await goes(second!, '/earlier')).toBe(pathOf(first!));
    expect(await goes(second!, '/later')).toBe(pathOf(third!));
    expect(await goes(first!, '/earlier')).toBe(pathOf(first!));
    expect(await goes(third!, '/later')).toBe(pathOf(third!));
  });

  test('are told apart where many have one instant', async () => {
    const { ask, service } = await serve([echo]);
    for (let i = 0; i < 30; i += 1) {
      await ask('POST', '/api/v1/jobs/echo/runs');
      await service.settle();
    }
    const all = (await service.runs()).toReversed();
    const found: string[] = [];
    let at = all.at(-1)!;
    for (let i = 0; i < 29; i += 1) {
      const { headers } = await ask('GET', pathOf(at, '/later'), { redirect: 'manual' });
      const id = decodeURIComponent(headers.get('location')?.slice(6) ?? '');
      found.unshift(id);
      at = all.find((run) => run.id === id)!;
    }

    expect(found).toEqual(all.slice(0, -1).map(({ id }) => id));
  });
});
