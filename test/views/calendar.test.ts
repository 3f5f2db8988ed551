import { expect, test } from 'vitest';
import { calendar } from '../../views/calendar.ts';
import { textOf } from './builders.ts';

const DAY = 86_400_000;
/** A Wednesday. */
const NOW = Date.parse('2026-11-25T12:00Z');
const TODAY = Math.floor(NOW / DAY);

const href = (midnight: number): string => `/day/${midnight / DAY}`;
const drawn = (days: Parameters<typeof calendar>[0]) => calendar(days, { now: NOW, href });

const rows = ({ markup }: { readonly markup: string }): string[] =>
  [...markup.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) => textOf({ markup: row }));

test('six weeks are shown, Monday to Sunday, up to the one of today', () => {
  const table = drawn([]);

  expect(rows(table)).toEqual([
    'Mon Tue Wed Thu Fri Sat Sun',
    '19 20 21 22 23 24 25',
    '26 27 28 29 30 31 1 Nov',
    '2 3 4 5 6 7 8',
    '9 10 11 12 13 14 15',
    '16 17 18 19 20 21 22',
    '23 24 25 26 27 28 29',
  ]);
  expect(table.markup.match(/<a /g)).toHaveLength(38);
  expect(table.markup.match(/class="ahead"/g)).toHaveLength(4);
  expect(table.markup).toContain('class="nothing today"');
});

test.each([
  [{ good: 288, bad: 2, quiet: 1 }, 'bad', '288 succeeded, 2 went wrong, 1 skipped'],
  [{ good: 1, bad: 1200, quiet: 0 }, 'bad most', '1 succeeded, 1200 went wrong'],
  [{ good: 3, bad: 0, quiet: 9 }, 'good', '3 succeeded, 9 skipped'],
  [{ good: 0, bad: 0, quiet: 4 }, 'quiet', '4 skipped'],
  [{ good: 0, bad: 0, quiet: 0 }, 'nothing', 'nothing'],
])('a day of %j is %s', (tally, tone, words) => {
  const { markup } = drawn([{ day: TODAY - 1, ...tally }]);

  expect(markup).toContain(
    `<td class="${tone}">\n    <a href="/day/${TODAY - 1}" title="Tue 24 Nov: ${words}">`,
  );
});

test('what went wrong is counted in its cell, in so little room', () => {
  const text = textOf(
    drawn([
      { day: TODAY, good: 1, bad: 7, quiet: 0 },
      { day: TODAY - 1, good: 1, bad: 1200, quiet: 0 },
    ]),
  );

  expect(text).toContain('24 999+ 25 7 26');
});

test('days beyond the six weeks, or to come, change nothing', () => {
  const far = [TODAY - 60, TODAY + 3].map((day) => ({ day, good: 9, bad: 9, quiet: 9 }));

  expect(drawn(far).markup).toBe(drawn([]).markup);
});
