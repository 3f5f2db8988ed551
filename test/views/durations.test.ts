import { describe, expect, test } from 'vitest';
import type { RunState } from '../../server/core/run.ts';
import { durationsChart, type Durations, type Taken } from '../../views/durations.ts';
import { NOW, textOf } from './builders.ts';

const MINUTE = 60_000;

const taken = (given: Partial<Taken> = {}): Taken => ({
  id: 'job@20261123T110000Z',
  state: 'succeeded',
  at: NOW,
  ms: 1000,
  attempts: 1,
  lateMs: 0,
  ...given,
});

const chart = (given: Partial<Durations>) =>
  durationsChart({ taken: [], notTaken: [], p50Ms: 1000, p95Ms: 2000, timeoutMs: null, ...given });

/** Where the marks of runs lie, from the top. */
const heights = ({ markup }: { readonly markup: string }): number[] =>
  [...markup.matchAll(/<(?:circle [^>]*cy|use [^>]*y)="([\d.]+)"/g)].map(([, y]) => Number(y));

const scale = ({ markup }: { readonly markup: string }): string =>
  textOf({ markup: /<svg class="scale".*?<\/svg>/s.exec(markup)?.[0] ?? '' });

describe('the chart of durations', () => {
  test('says in words what it shows', () => {
    const text = textOf(
      chart({
        taken: [
          taken({ at: NOW - 10 * MINUTE }),
          taken({ at: NOW - 5 * MINUTE, state: 'failed', ms: 4000, lateMs: 7000 }),
          taken({ state: 'cancelled', ms: 500, lateMs: null }),
        ],
      }),
    );

    expect(text).toContain(
      'The last 3 runs, 23 Nov 2026, 11:50 to 23 Nov 2026, 12:00 UTC: 1 succeeded, 1 went wrong, ' +
        '1 cancelled. Half took at most 1 s (p50), 95 of 100 at most 2 s (p95), the longest 4 s. ' +
        '1 run came late, at worst by 7 s.',
    );
  });

  test('tells outcomes apart by shape, and leads to each run', () => {
    const states: RunState[] = ['succeeded', 'timed_out', 'cancelled'];

    const { markup } = chart({ taken: states.map((state) => taken({ state })) });

    expect(markup.match(/<circle class="good"/g)).toHaveLength(2);
    expect(markup.match(/<use href="#went-wrong"/g)).toHaveLength(2);
    expect(markup.match(/<circle class="quiet"/g)).toHaveLength(2);
    expect(markup.match(/href="\/runs\/job%4020261123T110000Z"/g)).toHaveLength(3);
    expect(markup).toContain('<title>timed out, 23 Nov 12:00:00, 1 s</title>');
    expect(textOf({ markup })).toContain('succeeded failed, timed out or lost cancelled');
  });

  test('grows from nothing to twice a round step', () => {
    const drawn = chart({ taken: [taken({ ms: 900 }), taken({ ms: 1800 })] });

    expect(scale(drawn)).toBe('0 1 s 2 s 2 s late');
    expect(heights(drawn).slice(0, 2)).toEqual([89.5, 31]);
  });

  test('goes by orders of magnitude where lengths differ much', () => {
    const usual = Array.from({ length: 9 }, () => taken({ ms: 800 }));

    const drawn = chart({ taken: [...usual, taken({ ms: 700_000 })] });

    expect(scale(drawn)).toBe('100 ms 1 s 10 s 1 min 10 min 1 h 2 s late');
    expect(new Set(heights(drawn)).size).toBeLessThan(5);
  });

  test('has a line for the timeout only once a single attempt came near it', () => {
    const far = chart({ taken: [taken({ ms: 20_000 })], timeoutMs: MINUTE });
    const near = chart({ taken: [taken({ ms: 40_000 })], timeoutMs: MINUTE });
    const retried = chart({ taken: [taken({ ms: 70_000, attempts: 2 })], timeoutMs: MINUTE });

    expect([far, near, retried].map(({ markup }) => markup.includes('timeout 1 min'))).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('draws how late runs came, or that none did', () => {
    const late = chart({ taken: [taken({ lateMs: 90_000 }), taken({ lateMs: 999 })] });
    const calm = chart({ taken: [taken()] });
    const byHand = chart({ taken: [taken({ lateMs: null })] });

    expect(late.markup.match(/<g class="late">.*?<\/g>/s)?.[0].match(/<line/g)).toHaveLength(1);
    expect(textOf(late)).toContain('1 run came late, at worst by 1 min 30 s.');
    expect(textOf(calm)).toContain('all on time');
    expect(textOf(byHand)).not.toContain('on time.');
  });

  test('shades the time in which nothing ran', () => {
    const gap = {
      state: 'missed',
      from: NOW - 60 * MINUTE,
      to: NOW - 30 * MINUTE,
      count: 6,
    } as const;

    const { markup } = chart({
      taken: [taken({ at: NOW - 90 * MINUTE }), taken()],
      notTaken: [gap],
    });

    expect(textOf({ markup })).toContain('6 occurrences missed, up to 2026-11-23 11:30:00 UTC');
    expect(markup).toMatch(/<rect class="gap bad" x="33\.83%" y="18" width="32\.34%"/);
  });

  test.each([
    ['of one run', [taken({ ms: 0 })]],
    ['of runs at one instant', [taken(), taken()]],
    ['of a run that took no time and one that took years', [taken({ ms: 0 }), taken({ ms: 1e12 })]],
    ['of times that no clock shows', [taken({ at: -8.64e15 }), taken({ at: 8.64e15 })]],
  ])('%s has no number that is none', (_what, runs) => {
    const { markup } = chart({ taken: runs });

    expect(markup).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('of one run tells that one', () => {
    const text = textOf(chart({ taken: [taken({ lateMs: null, state: 'failed' })] }));

    expect(text).toContain(
      'The only run that has ended, 23 Nov 2026, 12:00 UTC: failed after 1 s.',
    );
    expect(text).not.toMatch(/p50|on time/);
  });

  test('without a run that has ended says so', () => {
    expect(textOf(chart({}))).toBe('No run has ended yet.');
  });
});
