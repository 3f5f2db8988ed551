import { describe, expect, test } from 'vitest';
import { compactInstant } from '../../server/core/time.ts';
import { run } from '../builders.ts';
import { byHand, job } from '../service.ts';
import { textOf } from '../views/builders.ts';
import { HTMX, serve, type Ask } from './client.ts';
import { record } from './history.ts';

const readPage = async (ask: Ask, path = '/timeline'): Promise<string> =>
  textOf({ markup: (await ask('GET', path)).text });

const lanesIn = (markup: string): string[] =>
  [...markup.matchAll(/<li id="lane-([^"]*)"/g)].map(([, name = '']) => name);

const footer = async (ask: Ask, path = '/timeline'): Promise<string> =>
  /(\d+ store reads?), [\d,]+ records?/.exec(await readPage(ask, path))?.[1] ?? '';

const fails = (): never => {
  throw new Error('disk full');
};

test('what ran, what failed and what is to come stand in one lane a job', async () => {
  const { service, ask } = await serve([
    job({ name: 'good', schedule: '*/30 * * * *' }),
    job({ name: 'bad', schedule: '*/30 * * * *', run: fails }),
  ]);
  await service.wake('00:30:00');
  await service.wake('01:00:00');

  const { text } = await ask('GET', '/timeline');

  expect(lanesIn(text)).toEqual(['bad', 'good']);
  expect(text).toContain('Sun 00:30 succeeded');
  expect(text).toContain('Sun 01:00 failed: disk full');
  expect(text).toContain('href="/runs/bad%4020260301T010000Z"');
  expect(text).toContain('48 to come, Sun 01:30 to Mon 01:00');
  expect(textOf({ markup: text })).toContain('1 job had problems in the last 24 hours, 1 had none');
});

test('an outage is one stretch, with its reason', async () => {
  const { service, ask } = await serve([job({ schedule: '*/10 * * * *' })]);
  await service.wake('00:10:00');
  await service.wake('06:00:00');

  const { text } = await ask('GET', '/timeline');

  expect(text).toMatch(/<title>Sun 00:20 to Sun 05:\d\d: \d+ (missed|skipped), \S+<\/title>/);
});

test('a job with nothing to see is left out, and counted', async () => {
  const { ask } = await serve([job({ name: 'soon' }), byHand({ name: 'by-hand' })]);

  const { text } = await ask('GET', '/timeline');

  expect(lanesIn(text)).toEqual(['soon']);
  expect(textOf({ markup: text })).toContain('1 more job has nothing from');
});

describe('what is asked for', () => {
  const jobs = [
    job({ name: 'orders', tags: ['shop'], description: 'Brings orders.' }),
    job({ name: 'report', tags: ['finance'] }),
  ];

  test('by text or by tag stands in the address, and is found again', async () => {
    const { ask } = await serve(jobs);

    const byText = await ask('GET', '/timeline?text=BRINGS&tag=');
    const byTag = await ask('GET', '/timeline?tag=finance&hours=6');

    expect(lanesIn(byText.text)).toEqual(['orders']);
    expect(byText.text).toContain('name="text" value="BRINGS"');
    expect(lanesIn(byTag.text)).toEqual(['report']);
    expect(byTag.text).toContain('<option value="finance" selected>finance</option>');
    expect(byTag.text).toContain('href="/timeline?tag=finance&amp;hours=72"');
  });

  test('and matches nothing leads back to all', async () => {
    const { ask } = await serve(jobs);

    expect(await readPage(ask, '/timeline?text=nothing')).toContain('Show all 2 jobs');
  });

  test('and can not be shown is told in words', async () => {
    const { ask } = await serve(jobs);

    const hours = await ask('GET', '/timeline?hours=5', { headers: { Accept: 'text/html' } });
    const unknown = await ask('GET', '/timeline?day=1', { headers: { Accept: 'text/html' } });

    expect([hours.status, unknown.status]).toEqual([400, 400]);
    expect(hours.text).toContain('expected one of 6, 24, 72');
    expect(unknown.text).toContain('unknown');
  });
});

test('a poll gets nothing new until something changes, or the axis moves on', async () => {
  const { service, ask } = await serve([job({ schedule: '0 3 * * *' })]);
  const poll = (tag: string) => ask('GET', '/timeline', { headers: { ...HTMX, 'HX-PTag': tag } });
  await service.clock.advance(1000);

  const first = await poll('none');
  const tag = first.headers.get('hx-ptag') ?? '';
  await service.clock.advance(30_000);
  const same = await poll(tag);
  await service.clock.advance(60_000);
  const moved = await poll(tag);

  expect([first.status, same.status, moved.status]).toEqual([200, 304, 200]);
});

test('reads are few, and as few with many jobs and runs', async () => {
  const names = Array.from({ length: 60 }, (_, i) => `job-${String(i).padStart(2, '0')}`);
  const { service, ask } = await serve(names.map((name) => job({ name })));
  await service.clock.advance(3_600_000);
  const now = service.clock.wall();
  for (const name of names.slice(0, 10)) {
    const runs = Array.from({ length: 100 }, (_, i) => {
      const at = now - (i + 1) * 20_000;
      const id = `${name}@${compactInstant(at)}`;
      const startedAt = at + 10;
      return run({
        id,
        job: name,
        state: 'failed',
        at,
        scheduledAt: at,
        startedAt,
        endedAt: at + 60,
      });
    });
    await record(service, name, { runs });
  }

  await footer(ask);
  const { text } = await ask('GET', '/timeline?page=1');

  // What changed, and at times twice what did not succeed.
  expect(await footer(ask)).toBe('1 store read');
  expect(await footer(ask, '/timeline?hours=72&page=3')).toBe('3 store reads');
  expect(lanesIn(text)).toHaveLength(25);
  expect(textOf({ markup: text })).toContain('60 jobs, page 1 of 3');
  expect(textOf({ markup: text })).toContain('there were more problems than are shown');
  expect(Buffer.byteLength(text)).toBeLessThan(150_000);
});

test('what did not succeed is read again after a while, and at once after a failure', async () => {
  const { service, ask } = await serve([
    job({ name: 'good', schedule: '*/10 * * * *' }),
    job({ name: 'bad', schedule: '*/15 * * * *', run: fails }),
  ]);

  const first = await footer(ask);
  await service.wake('00:10:00');
  const afterSuccess = [await footer(ask), await footer(ask)];
  await service.wake('00:15:00');
  const afterFailure = [await footer(ask), await footer(ask)];
  await service.clock.advance(60_000);
  const later = [await footer(ask), await footer(ask)];

  expect(first).toBe('3 store reads');
  // Ten minutes are a while, too.
  expect(afterSuccess).toEqual(['3 store reads', '1 store read']);
  expect(afterFailure).toEqual(['3 store reads', '1 store read']);
  expect(later).toEqual(['3 store reads', '1 store read']);
});

test('a page that there is none of is the last one', async () => {
  const { ask } = await serve([job({})]);

  expect(lanesIn((await ask('GET', '/timeline?page=9')).text)).toEqual(['job']);
});
