import { describe, expect, test } from 'vitest';
import type { Attempt, Run } from '../../server/core/records.ts';
import { attemptsTable, roundedUp, type Attempts } from '../../views/waterfall.ts';
import { lease, retry } from '../builders.ts';
import { attempt, NOW, run, textOf } from './builders.ts';

const table = (given: Partial<Run>, more: Partial<Attempts> = {}): string => {
  const made = attemptsTable({ run: run(given), now: NOW, lease: null, retry: null, ...more });
  return String(made);
};

const START = NOW - 100_000;

/** Where each bar lies, in hundredths of the lane, and of what kind it is. */
const bars = (markup: string): string[] =>
  [...markup.matchAll(/<rect class="([^"]+)" x="([\d.]+)%" width="([\d.]+)%"/g)].map(
    ([, kind, x, width]) => `${kind} ${x}+${width}`,
  );

const waits = (markup: string): string[] =>
  [...markup.matchAll(/class="wf-wait" x1="([\d.]+)%" x2="([\d.]+)%"/g)].map(
    ([, from, to]) => `${from}–${to}`,
  );

const two: readonly Attempt[] = [
  attempt({ startedAt: START, endedAt: START + 20_000, outcome: 'timed_out' }),
  attempt({ n: 2, startedAt: START + 60_000, endedAt: START + 100_000, outcome: 'succeeded' }),
];

describe('attempts on their time axis', () => {
  test('stand where they were, with the waits between them', () => {
    const markup = table({ createdAt: START, trigger: 'manual', endedAt: NOW, attempts: two });

    expect(bars(markup)).toEqual(['wf-bad 0+20', 'wf-good 60+40']);
    expect(waits(markup)).toEqual(['20–60']);
    expect(markup).toContain('aria-label="attempt 2 waited 40 s, then took 40 s: succeeded"');
  });

  test('have a wait before the first where it started late', () => {
    const scheduledAt = START - 100_000;

    const markup = table({ trigger: 'schedule', scheduledAt, endedAt: NOW, attempts: two });

    expect(waits(markup)).toEqual(['0–50', '60–80']);
    expect(bars(markup)).toEqual(['wf-bad 50+10', 'wf-good 80+20']);
  });

  test('can be seen after a wait of hours, which is cut short and says its length', () => {
    const scheduledAt = START - 5 * 3_600_000;

    const markup = table({ trigger: 'schedule', scheduledAt, endedAt: NOW, attempts: two });

    expect(bars(markup)[1]).toBe('wf-good 66.67+33.33');
    expect(markup).toContain('class="wf-cut"');
    expect(textOf({ markup })).toContain('5 h');
  });

  test('of a start within a second show no wait', () => {
    const markup = table({ trigger: 'schedule', scheduledAt: START - 900, attempts: two });

    expect(waits(markup)).toEqual(['20–60']);
  });

  test('that took no time can still be seen, within the lane', () => {
    const brief = [...two, attempt({ n: 3, startedAt: NOW, endedAt: NOW, outcome: 'failed' })];

    const markup = table({ createdAt: START, trigger: 'manual', endedAt: NOW, attempts: brief });

    expect(bars(markup)[2]).toBe('wf-bad 99.4+0.6');
  });

  test('are open at their end when lost, interrupted or at work', () => {
    const outcomes = ['lost', 'interrupted', null] as const;
    const attempts = outcomes.map((outcome, i) =>
      attempt({ n: i + 1, outcome, ...(outcome === null && { endedAt: null }) }),
    );

    const markup = table({ state: 'running', attempts });

    expect(bars(markup).map((bar) => bar.split(' ')[1])).toEqual(['wf-open', 'wf-open', 'wf-open']);
    expect(textOf({ markup })).toMatch(/1 lost.*2 interrupted.*3 running/);
  });

  test('wait for the next one up to when it starts', () => {
    const markup = table(
      { state: 'retry_wait', createdAt: START, trigger: 'manual', attempts: two.slice(0, 1) },
      { retry: retry({ attempt: 2, notBefore: NOW + 25_000 }) },
    );

    expect(waits(markup)).toEqual(['16–100']);
    expect(textOf({ markup })).toMatch(/2 to come/);
  });
});

describe('a lease', () => {
  const attempts = [attempt({ startedAt: START, endedAt: null, outcome: null })];

  test('that is held has the last beat that is known', () => {
    const held = lease({ startedAt: START, renewedAt: NOW - 10_000, leaseMs: 90_000 });

    const markup = table({ state: 'running', attempts }, { lease: held });

    expect(markup).toContain('class="wf-beat"');
    expect(textOf({ markup })).toContain('lease renewed 10 s ago, good for 1 min 30 s');
  });

  test('that ended tells how often it was renewed, in words', () => {
    const markup = table({ attempts: [attempt({ renewals: 3 })] });

    expect(markup).not.toContain('wf-beat');
    expect(textOf({ markup })).toContain('lease renewed 3 times');
  });
});

test('a page that is asked for again within a moment is the same, but for its times', () => {
  const attempts = [attempt({ startedAt: START, endedAt: null, outcome: null })];
  const at = (now: number): string =>
    table({ state: 'running', attempts }, { now }).replaceAll(/(<time[^>]*>)[^<]*/g, '$1');

  expect(at(NOW + 3000)).toBe(at(NOW));
  expect(at(NOW + 60_000)).not.toBe(at(NOW));
});

test('an axis of what goes on changes its end ever more seldom', () => {
  const ends = new Set(Array.from({ length: 3600 }, (_, s) => roundedUp(s * 1000)));

  expect(ends.size).toBeLessThan(100);
  for (const s of [0, 1, 59, 3599]) {
    expect(roundedUp(s * 1000)).toBeGreaterThanOrEqual(s * 1000);
    expect(roundedUp(s * 1000)).toBeLessThanOrEqual(Math.max(1000, s * 1125));
  }
});

test('of a hundred attempts the first and the last are shown, and the others are counted', () => {
  const attempts = Array.from({ length: 100 }, (_, i) =>
    attempt({ n: i + 1, startedAt: START + i * 1000, endedAt: START + i * 1000 + 500 }),
  );

  const markup = table({ attempts });

  expect(bars(markup)).toHaveLength(16);
  expect(textOf({ markup })).toContain('84 attempts between these');
  expect(markup.length).toBeLessThan(30_000);
});

test('what never started has no attempts to show', () => {
  const range = { from: START, to: NOW, count: 3, atLeast: false };

  expect(attemptsTable({ run: run({ range }), now: NOW, lease: null, retry: null })).toBe(null);
});
