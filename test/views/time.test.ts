import { describe, expect, test } from 'vitest';
import { duration, lateness, relative, time } from '../../views/time.ts';
import { NOW } from './builders.ts';

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const DAY = 24 * H;

describe('an instant is worded by how far away it is', () => {
  test.each([
    [0, 'now'],
    [499, 'now'],
    [-3 * S, '3 s ago'],
    [59.4 * S, 'in 59 s'],
    [59.6 * S, 'in 1 minute'],
    [5 * MIN, 'in 5 minutes'],
    [-90 * MIN, '90 minutes ago'],
    [-119.6 * MIN, '2 hours ago'],
    [47 * H, 'in 47 hours'],
    [-48 * H, '2 days ago'],
    [59 * DAY, 'in 59 days'],
    [-60 * DAY, '2026-09-24'],
    [400 * DAY, '2027-12-28'],
  ])('%d ms away: %s', (away, expected) => {
    expect(relative(NOW + away, NOW)).toBe(expected);
  });
});

describe('a length of time has at most two units', () => {
  test.each([
    [0, '0 ms'],
    [350, '350 ms'],
    [999.7, '1 s'],
    [1234, '1.2 s'],
    [9949, '9.9 s'],
    [9960, '10 s'],
    [59.6 * S, '1 min'],
    [3 * MIN + 4 * S, '3 min 4 s'],
    [59 * MIN + 59.6 * S, '1 h'],
    [2 * H + 5 * MIN, '2 h 5 min'],
    [23 * H + 59.6 * MIN, '1 d'],
    [3 * DAY + 4 * H, '3 d 4 h'],
    [-1500, '−1.5 s'],
  ])('%d ms: %s', (ms, expected) => {
    expect(duration(ms)).toBe(expected);
  });
});

test.each([
  [0, 'on time'],
  [999, 'on time'],
  [4000, '4 s late'],
  [-2000, '2 s early'],
])('a start %d ms after its instant is %s', (ms, expected) => {
  expect(lateness(ms)).toBe(expected);
});

test('an instant carries its exact UTC time for machines and for hovering', () => {
  const { markup } = time(NOW - 3 * S, NOW);

  expect(markup).toContain('datetime="2026-11-23T11:59:57.000Z"');
  expect(markup).toContain('title="2026-11-23 11:59:57 UTC"');
  expect(markup).toContain('>3 s ago<');
});

test('what is no time at all is shown as it is and takes no page down', () => {
  expect(() => time(Number.NaN, NOW)).not.toThrow();
  expect(time(9e15, NOW).markup).toContain('title="9000000000000000"');
});
