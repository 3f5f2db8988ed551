import { describe, expect, test } from 'vitest';
import { isMet } from '../bench/section.ts';
import { bad } from './bad.ts';
import { burst } from './burst.ts';
import { flood } from './flood.ts';
import { hour } from './hour.ts';
import { outage } from './outage.ts';
import { reportText, type Report } from './report.ts';

/*
 * The load of `npm run load` in short, where everybody else is at work on the machine too: what is
 * to be so holds all the same, and how long it takes is judged there.
 */

const LENIENT_MS = 60_000;

/** What is wrong, with all that was measured; nothing else is of interest then. */
const wrongIn = (report: Report): string => (report.wrong.length === 0 ? '' : reportText(report));

const missed = ({ bars }: Report, which: RegExp): readonly string[] =>
  bars.filter((bar) => which.test(bar.what) && !isMet(bar)).map(({ what }) => what);

const measured = ({ bars }: Report, which: string): number =>
  bars.find(({ what }) => what === which)?.measured ?? NaN;

describe('300 jobs that are due in the same second', () => {
  test('are all on record and over, each once', async () => {
    const report = await burst({ jobs: 300, withinMs: LENIENT_MS });

    expect(wrongIn(report)).toBe('');
    expect(missed(report, /./)).toEqual([]);
  }, 120_000);
});

describe('a service with 500 jobs', () => {
  test('holds no more after 20 minutes of its own time than before, and answers', async () => {
    const times = { minutes: 20, warmUpMinutes: 5, everyMinutes: 5 };
    const report = await hour({ jobs: 500, ...times, growthMb: { heap: 8, rss: 60 } });

    expect(wrongIn(report)).toBe('');
    expect(missed(report, /grown|rest/)).toEqual([]);
  }, 120_000);
});

describe('hundreds of triggers a second at one job', () => {
  test('run nothing twice, are answered truly, and keep no other job from running', async () => {
    const times = { ms: 3000, calmMs: 1500, warmUpMs: 500 };
    const report = await flood({ perSecond: 300, ...times, limited: false });

    expect(wrongIn(report)).toBe('');
    expect(measured(report, 'the others, p99')).toBeLessThan(LENIENT_MS);
  }, 120_000);
});

describe('an outage of three days', () => {
  test('is decided in one record of a job and reason, however many occurrences', async () => {
    const report = await outage({ jobs: 40, days: 3, withinMs: LENIENT_MS });

    expect(wrongIn(report)).toBe('');
    expect(missed(report, /./)).toEqual([]);
  }, 120_000);
});

describe('bad requests of thirty kinds', () => {
  test('get the answers that they should, and leave no connection open', async () => {
    const report = await bad({ perSecond: 60, ms: 2000, sliceMs: 1000 });

    expect(wrongIn(report)).toBe('');
  }, 60_000);
});
