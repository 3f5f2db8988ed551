import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { newId } from '../../server/process/identity.ts';
import { randomByte, randomFraction } from '../../server/process/randomness.ts';

/** Far more than one filling of the pool, so that its edge is among them. */
const MANY = 50_000;

test('each byte is as likely as another', () => {
  const found = Array.from({ length: 256 }, () => 0);
  for (let i = 0; i < 256 * 1000; i += 1) found[randomByte()]! += 1;

  // Beyond six standard deviations of a fair one, which comes to pass once in a million times.
  expect(Math.min(...found)).toBeGreaterThan(800);
  expect(Math.max(...found)).toBeLessThan(1200);
});

test('a fraction is from 0 up to 1, and in both halves alike', () => {
  const found = Array.from({ length: MANY }, randomFraction);

  expect(found.every((one) => one >= 0 && one < 1)).toBe(true);
  expect(new Set(found).size).toBe(MANY);
  const high = found.filter((one) => one >= 0.5).length;
  expect(Math.abs(high - MANY / 2)).toBeLessThan(MANY / 50);
});

test('no two ids are the same, every letter has its turn, and later ones come later', async () => {
  const before = newId();
  await setTimeout(5);
  const ids = Array.from({ length: MANY }, newId);

  expect(ids.every((id) => id > before)).toBe(true);

  expect(new Set(ids).size).toBe(MANY);
  expect(ids.every((id) => /^[a-z0-9]{20}$/.test(id))).toBe(true);
  expect(new Set(ids.join('')).size).toBe(36);
});

test('an id is of the alphabet of ids, whatever a job does to the clock of all', () => {
  vi.spyOn(Date, 'now').mockReturnValue(1.5);
  onTestFinished(() => void vi.restoreAllMocks());

  expect(newId()).toMatch(/^[a-z0-9]{20}$/);
});
