import { describe, expect, test } from 'vitest';
import { byHand, job } from '../service.ts';
import { TEST_START } from '../test-clock.ts';
import { textOf } from '../views/builders.ts';
import { cost, HTMX, serve, type Answer, type Ask } from './client.ts';
import { pastRuns, record } from './history.ts';

const POLL = { ...HTMX, 'HX-Source': 'div#poller' };
const MINUTE = 60_000;

const runs = (ask: Ask, q: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask('GET', `/runs?${new URLSearchParams({ q }).toString()}`, { headers });

const rows = ({ text }: Answer): string[] =>
  [...text.matchAll(/<tr id="run-([^"]*)"/g)].map(([, id]) => id ?? '');

const link = ({ text }: Answer, rel: 'next' | 'prev'): string =>
  new RegExp(`rel="${rel}" href="([^"]*)"`).exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';

/** 120 runs of one job, every tenth of which failed, and three of another. */
async function withHistory() {
  const served = await serve([byHand({ name: 'sync-orders' }), byHand({ name: 'canary' })]);
  const { service } = served;
  await service.clock.advance(125 * MINUTE);
  const until = TEST_START + 120 * MINUTE;
  const error = { name: 'Error', message: 'the shop is away', stack: null };
  const history = pastRuns('sync-orders', { count: 120, until, every: MINUTE }, (n) =>
    n % 10 === 0 ? { state: 'failed', error } : {},
  );
  await record(service, 'sync-orders', { runs: history });
  const few = pastRuns('canary', { count: 3, until, every: MINUTE }, () => ({ trigger: 'manual' }));
  await record(service, 'canary', { runs: few });
  return served;
}

describe('the list of runs', () => {
  test('has all jobs’ runs, the newest first, and is walked to its end and back', async () => {
    const { ask } = await withHistory();

    const first = await ask('GET', '/runs');
    const second = await ask('GET', link(first, 'next'));
    const third = await ask('GET', link(second, 'next'));
    const back = await ask('GET', link(third, 'prev'));

    const all = [first, second, third].flatMap(rows);
    expect([first, second, third].map((page) => rows(page).length)).toEqual([50, 50, 23]);
    expect(new Set(all).size).toBe(123);
    expect(all.slice(0, 2)).toEqual(['sync-orders@20260301T020000Z', 'canary@20260301T020000Z']);
    expect(link(third, 'next')).toBe('');
    expect(rows(back)).toEqual(rows(second));
    expect(rows(await ask('GET', link(back, 'prev')))).toEqual(rows(first));
    expect([first, second].map(cost)).toEqual([
      '1 store read, 50 records',
      '1 store read, 50 records',
    ]);
  });

  test('goes on by itself on the first page only', async () => {
    const { ask } = await withHistory();

    const first = await ask('GET', '/runs');
    const second = await ask('GET', link(first, 'next'));

    expect(first.text).toContain('data-poll="3"');
    expect(second.text).not.toContain('data-poll');
  });

  test.each([
    ['job:sync-orders', 50],
    ['job:canary', 3],
    ['state:failed', 12],
    ['state:problem job:sync-orders', 12],
    ['state:failed job:canary', 0],
    ['trigger:manual', 3],
    ['trigger:manual state:succeeded job:canary', 3],
    ['since:15m', 14],
    ['since:15m until:10m', 6],
    ['since:2026-03-01T01:50Z until:2026-03-01T01:55Z', 6],
    ['since:2026-03-02', 0],
    ['since:today until:today state:failed', 12],
    ['until:yesterday', 0],
    ['"shop is AWAY"', 12],
    ['state:succeeded shop', 0],
    ['shop since:30m', 2],
  ])('shows by %s what it says: %i', async (q, count) => {
    const { ask } = await withHistory();

    const page = await runs(ask, q);

    expect(page.status).toBe(200);
    expect(rows(page)).toHaveLength(count);
  });

  test('tells what failed and why', async () => {
    const { ask } = await withHistory();

    const { text } = await runs(ask, 'state:problem since:24h');

    expect(textOf({ markup: text })).toMatch(
      /failed sync-orders 01:51:00 14 minutes ago schedule on time 1 s Error: the shop is away/,
    );
  });

  test('goes on behind a page of what counts back from now, from the same time', async () => {
    const { service, ask } = await withHistory();

    const first = await runs(ask, 'since:100m');
    await service.clock.advance(10 * MINUTE);
    const second = await ask('GET', link(first, 'next'));

    expect(rows(first)).toHaveLength(50);
    expect(rows(second)).toHaveLength(49);
    expect(rows(second).at(-1)).toBe('sync-orders@20260301T002500Z');
  });

  test('is not sent again while nothing changes, though time goes on', async () => {
    const { service, ask } = await withHistory();
    const poll = (tag: string) => runs(ask, 'since:100m', { ...POLL, 'HX-PTag': tag });

    const first = await poll('none');
    await service.clock.advance(30_000);
    const same = await poll(first.headers.get('hx-ptag') ?? '');

    expect([first.status, same.status]).toEqual([200, 304]);
  });
});

describe('a filter', () => {
  test('that is wrong is told whole, and reads nothing', async () => {
    const { ask } = await withHistory();

    const page = await runs(ask, 'state:faild job:Sync since:soon');
    const text = textOf({ markup: page.text });

    expect(page.status).toBe(200);
    expect(text).toContain('"faild" is no state');
    expect(text).toContain('"Sync" is no job’s name');
    expect(text).toContain('"soon" is no time');
    expect(page.text).toContain('value="state:faild job:Sync since:soon"');
    expect(page.text).not.toContain('<table');
    expect(cost(page)).toBe('0 store reads, 0 records');
  });

  test('for a job that there is none of says so, and which may be meant', async () => {
    const { ask } = await withHistory();

    const page = await runs(ask, 'job:sync-oders state:failed');

    expect(textOf({ markup: page.text })).toContain(
      'there is no job "sync-oders". Did you mean job:sync-orders state:failed',
    );
    expect(cost(page)).toBe('2 store reads, 1 record');
  });

  test('for a job that has not run yet does not say that there is none', async () => {
    const { ask } = await serve([job({ name: 'new' })]);

    const page = await runs(ask, 'job:new');

    expect(textOf({ markup: page.text })).toContain('No runs like this.');
    expect(cost(page)).toBe('1 store read, 0 records');
  });

  test('with text tells how far it looked, and does not go on by itself', async () => {
    const { ask } = await withHistory();

    const page = await runs(ask, 'shop');

    expect(textOf({ markup: page.text })).toContain('looked through 123 runs, to the first');
    expect(page.text).not.toContain('data-poll');
  });

  test('with text leads further where history is long', async () => {
    const { service, ask } = await serve([byHand({ name: 'long' })]);
    await service.clock.advance(3000 * MINUTE);
    const of = { count: 2500, until: TEST_START + 2900 * MINUTE, every: MINUTE };
    const oldest = (n: number) => (n === 0 ? { output: '"the needle"' } : {});
    await record(service, 'long', { runs: pastRuns('long', of, oldest) });

    const first = await runs(ask, 'needle');
    const second = await ask('GET', link(first, 'next'));

    expect(rows(first)).toEqual([]);
    expect(textOf({ markup: first.text })).toMatch(
      /There are older ones. Look further looked through 2,000 runs, back to 2026-03-01 15:01:00 UTC/,
    );
    expect(rows(second)).toHaveLength(1);
    expect(textOf({ markup: second.text })).toContain('looked through 500 runs, to the first');
  });

  test('gives htmx another address to poll; a poll goes on with its own', async () => {
    const { ask } = await withHistory();

    const asked = await runs(ask, 'job:canary', { ...HTMX, 'HX-Source': 'form#filter' });
    const polled = await runs(ask, 'job:canary', POLL);
    const wrong = await runs(ask, 'state:x', { ...HTMX, 'HX-Source': 'form#filter' });

    expect(asked.text).toContain('hx-get="/runs?q=job%3Acanary" hx-trigger="poll"');
    expect(polled.text).not.toContain('hx-target="#poll"');
    expect(wrong.text).toContain(
      '<hx-partial hx-target="#poll" hx-swap="innerMorph"></hx-partial>',
    );
  });

  test.each([
    ['cursor=nonsense', 'cursor'],
    ['asOf=soon', 'asOf'],
    ['state=failed', 'state'],
    ['q=a&q=b', 'q'],
  ])('of another kind is refused in words: %s', async (query, name) => {
    const { ask } = await withHistory();

    const page = await ask('GET', `/runs?${query}`, { headers: { Accept: 'text/html' } });

    expect(page.status).toBe(400);
    expect(page.text).toMatch(/^<!doctype html>/);
    expect(page.text).toContain(`?${name}`);
  });
});
