import { describe, expect, test } from 'vitest';
import { visible } from '../../views/html.ts';
import { textOf } from '../views/builders.ts';
import { serve, type Answer, type Ask } from './client.ts';

/** The path of the page, or of the fragment, for what somebody typed. */
const pathOf = (path: string, typed: Record<string, string>): string =>
  `${path}?${new URLSearchParams(typed).toString()}`;

// The service's clock stands at 2026-03-01T00:00Z.
async function preview(typed: Record<string, string>): Promise<Answer & { shown: string }> {
  const { ask } = await serve([]);
  return await previewBy(ask, typed);
}

async function previewBy(ask: Ask, typed: Record<string, string>) {
  const answer = await ask('GET', pathOf('/fragments/schedule', typed));
  return { ...answer, shown: textOf({ markup: answer.text }) };
}

const rowsOf = ({ text }: Answer): string[] =>
  [...text.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) => textOf({ markup: row }));

const NEW_YORK = { schedule: '30 2 * * *', timeZone: 'America/New_York' };

describe('the preview of a schedule', () => {
  test('tells it in words, its next ten occurrences, and what clock changes do', async () => {
    const answer = await preview(NEW_YORK);

    const [head, ...rows] = rowsOf(answer);
    expect(answer.status).toBe(200);
    expect(answer.shown).toMatch(/^At 02:30 30 2 \* \* \* in America\/New_York When clocks/);
    expect(answer.shown).toContain('8 March 2026: 02:30 does not exist, runs 03:00');
    expect(answer.shown).toContain('from 02:00 to 01:00; nothing is scheduled then');
    expect(head).toBe('America/New_York UTC From now');
    expect(rows).toHaveLength(10);
    expect(rows[0]).toBe('Sun 1 March 2026, 02:30 2026-03-01 07:30:00 UTC in 8 hours');
    expect(rows[7]).toBe('Sun 8 March 2026, 03:00 2026-03-08 07:00:00 UTC in 7 days');
  });

  test('marks as a warning only what a change does to the runs', async () => {
    const { text } = await preview(NEW_YORK);

    const [warning, harmless] = [...text.matchAll(/<li[^>]*>/g)].map(([tag]) => tag);
    expect([warning, harmless]).toEqual(['<li class="warning">', '<li>']);
  });

  test('in UTC has one column of times and no clock changes', async () => {
    const answer = await preview({ schedule: '*/5 * * * *' });

    expect(rowsOf(answer).slice(0, 2)).toEqual([
      'UTC From now',
      'Sun 1 March 2026, 00:05 in 5 minutes',
    ]);
    expect(answer.shown).not.toContain('clocks');
  });

  test.each([
    [{ schedule: '0 9 * * 1-5; 0 12 * * 6' }, /^At 09:00, Monday through Friday; at 12:00/],
    [{ schedule: 'every 90m' }, /^Every 1 hour 30 minutes every 90m in UTC Next occurrences/],
    [{ schedule: 'at 2027-03-01T18:00' }, /^Once, on 1 March 2027 at 18:00/],
    [
      { schedule: 'at 2020-03-01T18:00' },
      /^Once, on 1 March 2020 at 18:00 .* It never comes again$/,
    ],
    [{ schedule: 'H H * * *', name: 'nightly-report' }, /^At 13:34 34 13 \* \* \* in UTC/],
    [{ schedule: 'H H * * *', name: 'send-invoices' }, /^At 10:56 56 10 \* \* \* in UTC/],
    [
      { schedule: ' @daily ', timeZone: ' Europe/London ' },
      /^At 00:00 0 0 \* \* \* in Europe\/London/,
    ],
    [{ schedule: '@daily', timeZone: '' }, /^At 00:00 0 0 \* \* \* in UTC/],
  ])('of %j', async (typed, told) => {
    const { status, shown } = await preview(typed);

    expect(status).toBe(200);
    expect(shown).toMatch(told);
  });

  test('is never kept by a cache, and gives the address of the page that shows the same', async () => {
    const typed = { ...NEW_YORK, name: 'a&b' };

    const { headers } = await preview(typed);

    const address = new URL(headers.get('HX-Replace-Url') ?? '', 'http://here');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(address.pathname).toBe('/schedule');
    expect(Object.fromEntries(address.searchParams)).toEqual(typed);
  });

  test('of nothing is a list of examples, none of which is refused', async () => {
    const { ask } = await serve([]);
    const empty = await previewBy(ask, { schedule: ' ', timeZone: 'Europe/London' });
    const links = [...empty.text.matchAll(/href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );

    const pages = await Promise.all(links.map((link) => ask('GET', link)));

    expect(links.length).toBeGreaterThan(5);
    for (const { status, text } of pages) {
      expect(status).toBe(200);
      expect(text).toContain('class="words"');
      expect(text).not.toContain('class="refused"');
    }
  });
});

describe('a schedule that is refused is told why, with status 200 as any preview', () => {
  test.each([
    [{ schedule: '61 2 * * *' }, ['minute 61 is outside 0–59']],
    [{ schedule: '61 24 * * *' }, ['minute 61 is outside 0–59', 'hour 24 is outside 0–23']],
    [{ schedule: '*/90 * * * *' }, ['minute step 90 is outside 1–59']],
    [{ schedule: '0 0 30 2 *' }, ['never comes: no month named has a day 30']],
    [
      { schedule: '@daily', timeZone: 'Mars/Olympus' },
      ['time zone "Mars/Olympus" is not an IANA name, such as "Europe/London"'],
    ],
    [{ schedule: 'a'.repeat(2000) }, ['2000 characters are too many: at most 500 are read']],
    [
      { schedule: Array.from({ length: 21 }, () => '* * * * *').join(';') },
      ['21 rules are too many: at most 20 make a schedule'],
    ],
  ])('%j', async (typed, reasons) => {
    const { status, text } = await preview(typed);

    const told = [...text.matchAll(/<li class="refused">(.*?)<\/li>/gs)].map(([, reason = '']) =>
      textOf({ markup: reason }),
    );
    expect(status).toBe(200);
    expect(told).toEqual(reasons);
    expect(text).not.toContain('<table');
  });
});

describe('the page', () => {
  test('holds what was typed, and the same preview, so that it works without scripts', async () => {
    const { ask } = await serve([]);

    const page = await ask('GET', pathOf('/schedule', { ...NEW_YORK, name: 'nightly-report' }));
    const fragment = await ask('GET', pathOf('/fragments/schedule', NEW_YORK));

    expect(page.status).toBe(200);
    expect(page.text).toMatch(/^<!doctype html>/);
    expect(page.text).toMatch(/<form [^>]*method="get" action="\/schedule"/);
    expect(page.text).toMatch(/<input name="schedule" value="30 2 \* \* \*"/);
    expect(page.text).toMatch(/<input name="timeZone" value="America\/New_York"/);
    expect(page.text).toMatch(/<input name="name" value="nightly-report"/);
    expect(page.text).toContain(fragment.text);
    expect(fragment.text).not.toContain('<form');
  });

  test('offers every time zone that there is', async () => {
    const { ask } = await serve([]);

    const { text } = await ask('GET', '/schedule');

    for (const zone of ['UTC', 'Europe/London', 'Australia/Lord_Howe', 'Pacific/Chatham']) {
      expect(text).toContain(`<option value="${zone}">`);
    }
  });

  test('is there for reading only', async () => {
    const { ask } = await serve([]);

    const answers = await Promise.all([ask('POST', '/schedule'), ask('HEAD', '/schedule')]);

    expect(answers.map(({ status }) => status)).toEqual([405, 200]);
    expect(answers[0]?.headers.get('Allow')).toBe('GET, HEAD');
  });
});

describe('what was typed does nothing but be shown', () => {
  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    '</title><svg onload=alert(1)>',
    '" hx-on:click="alert(1)',
    '<hx-partial hx-target="body">gone</hx-partial>',
    '\u202egnp.exe \u001b[31m \0',
  ])('%j', async (nasty) => {
    const { ask } = await serve([]);
    const typed = { schedule: nasty, timeZone: nasty, name: nasty };
    const calm = { schedule: 'a b c', timeZone: 'x', name: 'y' };
    const tags = (text: string): string[] => text.match(/<[a-z!/][a-z]*/gi) ?? [];
    const refusals = /<li class="refused">.*?<\/li>/gs;

    const [page, plain] = await Promise.all(
      [typed, calm].map((one) => ask('GET', pathOf('/schedule', one))),
    );
    const { text = '' } = page ?? {};

    expect(tags(text.replace(refusals, ''))).toEqual(tags(plain?.text.replace(refusals, '') ?? ''));
    expect(tags(text.match(refusals)?.join('') ?? '').every((tag) => /^<\/?li$/.test(tag))).toBe(
      true,
    );
    const [, value = ''] = /<input name="schedule" value="([^"]*)"/.exec(text) ?? [];
    expect(textOf({ markup: value })).toBe(visible(nasty).trim());
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\u202a-\u202e]/);
  });
});

describe('what no form sends is refused', () => {
  test.each([
    ['/schedule?colour=red', 400, /\?colour: unknown; known: schedule, timeZone, name/],
    ['/fragments/schedule?zone=UTC', 400, /\?zone: unknown; known: schedule, timeZone, name/],
    ['/fragments/schedule?schedule=a&schedule=b', 400, /\?schedule: may be given only once/],
    ['/schedule/extra', 404, /there is no \/schedule\/extra/],
  ])('%s is answered with %i', async (path, status, detail) => {
    const { ask } = await serve([]);

    const answer = await ask('GET', path);

    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(detail);
  });

  test('an address that is longer than any server reads ends that request only', async () => {
    const { ask } = await serve([]);

    const long = await ask('GET', pathOf('/schedule', { schedule: '*'.repeat(20_000) }));
    const next = await ask('GET', pathOf('/schedule', NEW_YORK));

    expect([long.status, next.status]).toEqual([431, 200]);
  });
});
