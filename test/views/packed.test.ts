import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../server/core/records.ts';
import { compactInstant } from '../../server/core/time.ts';
import { nameOfRun, packOutcomes, unpackBars } from '../../views/packed.ts';
import { NOW } from './builders.ts';

/** What the browser makes of it is in test/browser/jobs.test.ts. */

const every = (minutes: number, n: number): Outcome[] =>
  Array.from({ length: n }, (_, i) => {
    const at = NOW + i * minutes * 60_000;
    return { id: `job@${compactInstant(at)}`, state: 'succeeded', at: at + 900, ms: 850 + i };
  });

describe('packed outcomes', () => {
  test('take few letters each where occurrences follow each other evenly', () => {
    const packed = packOutcomes('job', every(5, 60));

    expect(packed).toMatch(/^Snm@toyeo0Snn@8cSnoSnp/);
    expect(packed.length).toBeLessThan(60 * 4);
  });

  test('tell how late a run was, how far a range reaches, and how the next id is called', () => {
    const [first] = every(1, 1) as [Outcome];
    const from = compactInstant(NOW + 60_000);
    const to = compactInstant(NOW + 180_000);
    const outcomes: Outcome[] = [
      { ...first, late: 4200 },
      { id: `job@${from}..${to}~outage`, state: 'missed', at: NOW + 180_000, ms: null },
      { id: `job@${to}..${to}~overlap`, state: 'skipped', at: NOW + 180_000, ms: null },
      { id: 'job!abcdef', state: 'failed', at: NOW + 240_000, ms: 7 },
    ];

    const packed = packOutcomes('job', outcomes);

    expect(packed).toMatch(/~4G@50\+3cO@0F7@1o![0-9a-z]{5,7}$/);
    expect(packed.endsWith(nameOfRun('job!abcdef'))).toBe(true);
  });

  test('are read again as what they were', () => {
    const outcomes: Outcome[] = [
      { id: 'job!a', state: 'timed_out', at: NOW, ms: 0 },
      { id: 'job!b', state: 'cancelled', at: NOW - 5, ms: null },
      { id: 'job!c', state: 'lost', at: NOW, ms: 123_456_789 },
    ];

    expect(unpackBars(packOutcomes('job', outcomes))).toEqual([
      { state: 'timed_out', ms: 0 },
      { state: 'cancelled', ms: null },
      { state: 'lost', ms: 123_456_789 },
    ]);
    expect(unpackBars('')).toEqual([]);
  });

  test.each([
    'job@20260230T000000Z',
    'job@20261301T000000Z',
    'job@20260101T240000Z',
    'job@20260101T000000.500Z',
    'job@20260101T000000Z..20260102T000000Z~unheard-of',
    'job@20260101T000000Z~outage',
    'job@2026010aT000000Z',
    'other@20260101T000000Z',
    'job',
    '',
  ])('give a name to an id that could not be made again: %j', (id) => {
    const packed = packOutcomes('job', [{ id, state: 'succeeded', at: NOW, ms: 1 }]);

    expect(packed.endsWith(`!${nameOfRun(id)}`)).toBe(true);
  });

  test('have a name of its own for each of sixty runs by hand', () => {
    const names = Array.from({ length: 60 }, (_, i) => nameOfRun(`job!${'a'.repeat(51)}${i}`));

    expect(new Set(names).size).toBe(60);
  });
});
