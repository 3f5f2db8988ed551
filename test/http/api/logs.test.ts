import { describe, expect, test } from 'vitest';
import type { JobContext, JobLog } from '../../../server/core/job.ts';
import { logChunk } from '../../builders.ts';
import { byHand, type TestService } from '../../service.ts';
import { serve, type Answer, type Ask } from '../client.ts';
import { FLUSH_MS } from '../runs.ts';
import { whileTimePasses } from './time.ts';

type Line = Readonly<Record<string, any>>;
const lines = ({ body }: Answer): Line[] => body?.['lines'];
const texts = (answer: Answer): unknown[] =>
  lines(answer).map(({ text, dropped }) => text ?? dropped);

/** A run that logs what the test wants it to, and ends when the test says so. */
async function talking(): Promise<{
  service: TestService;
  ask: Ask;
  url: string;
  path: string;
  log: JobLog;
  end: () => void;
}> {
  let log: JobLog | undefined;
  let end: () => void = () => undefined;
  const job = byHand({
    run: (context: JobContext) => {
      log = context.log;
      context.progress(1, 4);
      return new Promise<void>((resolve) => (end = resolve));
    },
  });
  const { service, ask, url } = await serve([job]);
  const { body } = await ask('POST', '/api/v1/jobs/job/runs');
  await service.settle();
  if (log === undefined) throw new Error('the run has not started');
  const path = `/api/v1/runs/${encodeURIComponent(body?.['id'])}/log`;
  return { service, ask, url, path, log, end: () => end() };
}

describe('the log of a run, as JSON', () => {
  test('goes on from a cursor, with nothing twice and nothing left out', async () => {
    const { service, ask, path, log, end } = await talking();
    for (let n = 0; n < 5; n += 1) log(`line ${n}`, { n });
    await service.clock.advance(FLUSH_MS);

    const first = await ask('GET', `${path}?limit=3`);
    const second = await ask('GET', `${path}?cursor=${first.body?.['next']}`);
    log.warn('more');
    await service.clock.advance(FLUSH_MS);
    const third = await ask('GET', `${path}?cursor=${second.body?.['next']}`);
    end();
    await service.idle();
    const last = await ask('GET', `${path}?cursor=${third.body?.['next']}`);

    expect(lines(first)[0]).toEqual({
      attempt: 1,
      at: '2026-03-01T00:00:00.000Z',
      level: 'info',
      text: 'line 0',
      fields: '{"n":0}',
    });
    expect([first, second, third].map(texts)).toEqual([
      ['line 0', 'line 1', 'line 2'],
      ['line 3', 'line 4'],
      ['more'],
    ]);
    expect([first, second, third, last].map(({ body }) => body?.['ended'])).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(first.body?.['progress']).toEqual({ done: 1, total: 4 });
    expect(lines(last)).toEqual([]);
  });

  test('is whole for a run that is over, in one page or in several', async () => {
    const { service, ask, path, log, end } = await talking();
    for (let n = 0; n < 10; n += 1) log(`line ${n}`);
    end();
    await service.idle();

    const whole = await ask('GET', path);
    const seen: unknown[] = [];
    let answer = await ask('GET', `${path}?limit=3`);
    for (let page = 0; page < 10; page += 1) {
      seen.push(...texts(answer));
      if (answer.body?.['ended'] === true) break;
      answer = await ask('GET', `${path}?limit=3&cursor=${answer.body?.['next']}`);
    }

    expect(whole.body).toMatchObject({ ended: true });
    expect(texts(whole)).toEqual(Array.from({ length: 10 }, (_, n) => `line ${n}`));
    expect(seen).toEqual(texts(whole));
  });

  test('marks lines that are not kept, and tells attempts apart', async () => {
    const { service, ask, path } = await talking();
    const { id: runId } = await service.lastRun();
    const line = (text: string) => ({ at: 0, level: 'info' as const, text, fields: null });
    for (const chunk of [
      logChunk({ runId, n: 3, first: 7, lines: [line('a'), line('b')] }),
      logChunk({ runId, n: 4, first: 9, lines: [line('c')] }),
      logChunk({ runId, n: 1_000_000, first: 0, lines: [line('d')] }),
      logChunk({ runId, n: 1_000_002, first: 5, lines: [line('e')] }),
    ]) {
      await service.store.appendLog(chunk);
    }

    const answer = await ask('GET', `${path}?limit=2`);
    const more = await ask('GET', `${path}?cursor=${answer.body?.['next']}`);

    expect(lines(answer).map((one) => [one['attempt'], one['text'] ?? one['dropped']])).toEqual([
      [1, 7],
      [1, 'a'],
      [1, 'b'],
    ]);
    expect(lines(more).map((one) => [one['attempt'], one['text'] ?? one['dropped']])).toEqual([
      [1, 'c'],
      [2, 'd'],
      [2, 4],
      [2, 'e'],
    ]);
  });

  test('of long lines comes in pages of a megabyte', async () => {
    const { service, ask, path } = await talking();
    const { id: runId } = await service.lastRun();
    const line = { at: 0, level: 'info' as const, text: 'x'.repeat(8000), fields: null };
    for (let n = 0; n < 50; n += 1) {
      const chunk = logChunk({
        runId,
        n,
        first: n * 8,
        lines: Array.from({ length: 8 }, () => line),
      });
      await service.store.appendLog(chunk);
    }

    const first = await ask('GET', `${path}?limit=10000`);
    const cursors = [first.body?.['next']];
    let count = lines(first).length;
    for (let page = 0; page < 10; page += 1) {
      const answer = await ask('GET', `${path}?limit=10000&cursor=${cursors.at(-1)}`);
      if (lines(answer).length === 0) break;
      count += lines(answer).length;
      cursors.push(answer.body?.['next']);
    }

    expect(first.text.length).toBeLessThan(1_200_000);
    expect(lines(first).length).toBeGreaterThan(100);
    expect(count).toBe(400);
  });

  test.each([
    ['cursor=forged', '?cursor', /was not given out by this log/],
    ['cursor=' + Buffer.from('0.5.aaaaaaaaaaaa').toString('base64url'), '?cursor', /not given out/],
    ['limit=0', '?limit', /from 1 to 10000/],
    ['follow=61', '?follow', /from 0 to 60/],
    ['format=xml', '?format', /expected json or text/],
  ])('?%s is refused', async (query, place, message) => {
    const { ask, path } = await talking();

    const { status, body } = await ask('GET', `${path}?${query}`);

    expect(status).toBe(400);
    expect(body?.['errors']).toEqual([{ path: place, message: expect.stringMatching(message) }]);
  });

  test('refuses the cursor of another run', async () => {
    const { ask, path } = await talking();
    const { body } = await ask('GET', path);
    const other = await ask('POST', '/api/v1/jobs/job/runs', {
      body: '{"overlap":"allow"}',
      headers: { 'Content-Type': 'application/json' },
    });

    const answer = await ask(
      'GET',
      `/api/v1/runs/${encodeURIComponent(other.body?.['id'])}/log?cursor=${body?.['next']}`,
    );

    expect(answer.status).toBe(400);
  });

  test('of no run is 404', async () => {
    const { ask } = await serve([]);

    expect((await ask('GET', '/api/v1/runs/job@20260301T000000Z/log')).status).toBe(404);
  });
});

describe('a log that is followed, as JSON', () => {
  test('is answered as soon as there is a line, and not before', async () => {
    const { service, ask, path, log } = await talking();
    const { body } = await ask('GET', path);

    const asking = ask('GET', `${path}?follow=30&cursor=${body?.['next']}`);
    await service.clock.advance(5000);
    log('at last');
    const answer = await whileTimePasses(service, asking);

    expect(texts(answer)).toEqual(['at last']);
    expect(service.clock.monotonic()).toBeLessThan(10_000);
    expect(service.clock.monotonic()).toBeGreaterThan(5000);
  });

  test('is answered when the run is over', async () => {
    const { service, ask, path, end } = await talking();
    const { body } = await ask('GET', path);

    const asking = ask('GET', `${path}?follow=30&cursor=${body?.['next']}`);
    await service.clock.advance(3000);
    end();
    const answer = await whileTimePasses(service, asking);

    expect(answer.body).toMatchObject({ lines: [], ended: true });
    expect(service.clock.monotonic()).toBeLessThan(8000);
  });

  test('is answered with nothing when the time is over', async () => {
    const { service, ask, path } = await talking();
    const { body } = await ask('GET', path);

    const answer = await whileTimePasses(
      service,
      ask('GET', `${path}?follow=10&cursor=${body?.['next']}`),
    );

    expect(answer.body).toMatchObject({ lines: [], ended: false, next: body?.['next'] });
    expect(service.clock.monotonic()).toBeGreaterThanOrEqual(10_000);
    expect(service.clock.monotonic()).toBeLessThan(12_000);
  });

  test('is answered at once where there is something already', async () => {
    const { service, ask, path, log } = await talking();
    log('there');
    await service.clock.advance(FLUSH_MS);

    const answer = await ask('GET', `${path}?follow=30`);

    expect(texts(answer)).toEqual(['there']);
  });

  test('is looked at twice a second, and no more when whoever follows is gone', async () => {
    const { service, ask, path } = await talking();
    const { store } = service.deps;
    const gone = new AbortController();
    const looks = (): number => store.calls?.get('read a log') ?? 0;
    const asking = ask('GET', `${path}?follow=60`, { signal: gone.signal });
    await expect.poll(looks).toBeGreaterThan(0);
    const before = looks();
    for (let turn = 0; turn < 100; turn += 1) {
      await service.clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const during = looks();

    gone.abort();
    await expect(asking).rejects.toThrow(/abort/);
    const looksInFiveSeconds = async (): Promise<number> => {
      const sofar = looks();
      for (let turn = 0; turn < 10; turn += 1) await service.clock.advance(500);
      return looks() - sofar;
    };

    expect(during - before).toBeGreaterThan(10);
    expect(during - before).toBeLessThanOrEqual(21);
    // That somebody has gone is noticed a moment later.
    await expect.poll(looksInFiveSeconds, { interval: 500 }).toBe(0);
    expect(service.clock.monotonic()).toBeLessThan(60_000);
  });
});

describe('the log of a run, as text', () => {
  test('has a line for each event, and nothing that a terminal would obey', async () => {
    const { service, ask, path, log, end } = await talking();
    log('plain', { n: 1 });
    log.error('two\nlines, \u001b[31mred\u001b[0m, \u202ereversed, \u0000 and <b>');
    end();
    await service.idle();

    const byHeader = await ask('GET', path, { headers: { Accept: 'text/plain' } });
    const byQuery = await ask('GET', `${path}?format=text`, {
      headers: { Accept: 'application/json' },
    });

    expect(byHeader.text).toBe(
      [
        '2026-03-01T00:00:00.000Z info  plain {"n":1}',
        '2026-03-01T00:00:00.000Z error two\\nlines, \\u001b[31mred\\u001b[0m, \\u202ereversed, \\u0000 and <b>',
        '',
      ].join('\n'),
    );
    expect(byQuery.text).toBe(byHeader.text);
    expect(byHeader.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(byHeader.headers.get('x-content-type-options')).toBe('nosniff');
    expect(byHeader.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
  });

  test('is JSON for who takes anything, and for who says so', async () => {
    const { ask, path } = await talking();

    const answers = [
      await ask('GET', path, { headers: { Accept: '*/*' } }),
      await ask('GET', path, { headers: { Accept: 'application/json, text/plain' } }),
      await ask('GET', `${path}?format=json`, { headers: { Accept: 'text/plain' } }),
    ];

    expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual(
      Array.from({ length: 3 }, () => 'application/json; charset=utf-8'),
    );
  });

  test('begins behind a cursor, and has so many lines', async () => {
    const { service, ask, path, log, end } = await talking();
    for (let n = 0; n < 6; n += 1) log(`line ${n}`);
    end();
    await service.idle();
    const { body } = await ask('GET', `${path}?limit=2`);

    const answer = await ask('GET', `${path}?format=text&limit=3&cursor=${body?.['next']}`);

    expect(answer.text.match(/line \d/g)).toEqual(['line 2', 'line 3', 'line 4']);
  });

  test('is sent as it comes while it is followed, until the run is over', async () => {
    const { service, url, path, log, end } = await talking();
    log('first');
    await service.clock.advance(FLUSH_MS);
    const answer = await fetch(`${url}${path}?format=text&follow=60`);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<string> => {
      const read = await whileTimePasses(service, reader.read());
      return read.done ? 'the end' : read.value.trim().split(' ').slice(2).join(' ').trim();
    };

    const first = await next();
    log('second');
    const second = await next();
    end();
    const end1 = await next();

    expect([first, second, end1]).toEqual(['first', 'second', 'the end']);
    expect(service.clock.monotonic()).toBeLessThan(30_000);
  });

  test('ends when the time is over, though the run goes on', async () => {
    const { service, ask, path, log } = await talking();
    log('still here');
    await service.clock.advance(FLUSH_MS);
    const before = service.clock.monotonic();

    const answer = await whileTimePasses(service, ask('GET', `${path}?format=text&follow=5`));

    expect(answer.text).toContain('still here');
    expect(service.clock.monotonic() - before).toBeGreaterThanOrEqual(5000);
    expect(service.clock.monotonic() - before).toBeLessThan(8000);
  });

  test('of who only asks for its head is not waited for', async () => {
    const { ask, path } = await talking();

    const answer = await ask('HEAD', `${path}?format=text&follow=60`);

    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});
