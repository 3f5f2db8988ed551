import { describe, expect, test } from 'vitest';
import { byHand, job, noon } from '../service.ts';
import { textOf } from '../views/builders.ts';
import { serve } from './client.ts';
import { form, live, runsOf, valueOf, words } from './forms.ts';

describe('a backfill', () => {
  const range = (from: string, to: string): Record<string, string> => ({
    from: `2026-03-01T${from}`,
    to: `2026-03-01T${to}`,
  });
  const path = (fields: Record<string, string>): string =>
    `/jobs/job/backfill?${new URLSearchParams(fields).toString()}`;

  async function afterOutage(handler: () => void = () => undefined) {
    const served = await serve([
      job({ schedule: '*/10 * * * *', catchUp: { runs: 'none' }, run: handler }),
    ]);
    await live(served.service, ['00:10:00', '01:00:00']);
    return served;
  }

  test('shows each occurrence that it opens, and what is on record of it', async () => {
    const { ask } = await afterOutage();

    const answer = await ask('GET', path(range('00:10', '00:30')));

    const rows = [...answer.text.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
      textOf({ markup: row }),
    );
    expect(words(answer)).toContain('It opens 3 runs');
    expect(words(answer)).toContain('1 of those listed has succeeded already');
    expect(rows.slice(1)).toEqual([
      'Sun 1 Mar 2026, 00:10 succeeded',
      'Sun 1 Mar 2026, 00:20 missed',
      'Sun 1 Mar 2026, 00:30 missed',
    ]);
  });

  test('that is ended opens no more', async () => {
    const { service, ask } = await afterOutage();
    await ask('POST', '/jobs/job/backfill', form(range('00:20', '00:40')));
    const page = await ask('GET', '/jobs/job');
    const end = /action="(\/jobs\/job\/backfills\/[^"]+\/end)"/.exec(page.text)?.[1] ?? '';

    const ended = await ask('POST', end);
    const again = await ask('POST', end, { headers: { 'HX-Request': 'true' } });
    await live(service, ['01:01:00', '01:02:00', '01:03:00']);

    const opened = (await runsOf(service)).filter(({ trigger }) => trigger === 'backfill');
    expect([ended.status, again.status]).toEqual([200, 200]);
    expect(words(ended)).not.toContain('A backfill is under way');
    expect(words(again)).toContain('That backfill was over already.');
    expect(opened).toEqual([]);
  });

  test('opens just those, one after another, and its progress is told', async () => {
    const { service, ask } = await afterOutage();
    const page = await ask('GET', path(range('00:20', '00:40')));
    const sent = { ...range('00:20', '00:40'), key: valueOf(page, 'key') ?? '' };

    const answer = await ask('POST', '/jobs/job/backfill', form(sent));
    const during = await ask('GET', '/jobs/job');
    const choosing = await ask('GET', '/jobs/job/backfill');
    await live(service, ['01:01:00', '01:02:00', '01:03:00', '01:04:00']);
    const again = await ask('POST', '/jobs/job/backfill', form(sent));
    await live(service, ['01:05:00', '01:06:00']);

    const opened = (await runsOf(service)).filter(({ trigger }) => trigger === 'backfill');
    expect([answer.status, again.status]).toEqual([303, 303]);
    expect(answer.headers.get('Location')).toBe('/jobs/job');
    expect(words(during)).toContain('A backfill is under way: 0 of 3 runs opened, 3 left.');
    expect(words(choosing)).toContain('A backfill is under way');
    expect(opened).toHaveLength(3);
    expect(new Set(opened.map(({ scheduledAt }) => scheduledAt))).toEqual(
      new Set(['00:20:00', '00:30:00', '00:40:00'].map(noon)),
    );
  });

  test('offers what was missed last', async () => {
    const { ask } = await afterOutage();

    const answer = await ask('GET', '/jobs/job/backfill');
    const [, link = ''] = /<li><a href="([^"]*)">/.exec(answer.text) ?? [];
    const chosen = await ask('GET', link.replaceAll('&amp;', '&'));

    expect(words(answer)).toContain('Missed last 4 occurrences 2026-03-01 00:20:00 UTC');
    expect(words(chosen)).toContain('It opens 4 runs');
  });

  test('of very many lists the first and counts to an end', async () => {
    const { service, ask } = await serve([job({ schedule: '* * * * *' })]);
    await service.clock.advance(3 * 86_400_000);

    const answer = await ask('GET', path({ from: '2026-03-01T00:00', to: '2026-03-03T23:59' }));

    expect(words(answer)).toContain('It opens more than 1,000 runs');
    expect(words(answer)).toContain('And at least 950 more.');
    expect(answer.text.match(/<tr>/g)).toHaveLength(51);
    expect(answer.text.length).toBeLessThan(60_000);
  });

  test.each([
    [range('00:30', '00:20'), 'lies before the beginning'],
    [range('00:30', '23:20'), 'lies in the future'],
    [{ from: 'yesterday', to: '' }, 'choose a date and a time'],
    [range('00:11', '00:12'), 'No occurrence lies in this range'],
  ])('%j is not one', async (sent, why) => {
    const { service, ask } = await afterOutage();

    const shown = await ask('GET', path(sent));
    const started = await ask('POST', '/jobs/job/backfill', form(sent));

    expect(words(shown)).toContain(why);
    expect(shown.text).not.toContain('<form method="post"');
    expect([422, 409]).toContain(started.status);
    expect((await service.store.read('job')).record?.backfill).toBeNull();
  });

  test('of a job that runs only by hand is nothing that there is', async () => {
    const { ask } = await serve([byHand({})]);

    const answer = await ask('GET', '/jobs/job/backfill');

    expect(words(answer)).toContain('This job runs only by hand, so it has no occurrences.');
    expect(answer.text).not.toContain('class="range"');
  });
});
