import { expect, test } from 'vitest';
import { hashOfRequest, isRerun, isSameRequest } from '../../server/core/request-hash.ts';
import { Cipher } from '../../server/core/secrets/cipher.ts';
import { run } from '../builders.ts';

const [OLD, NEW] = ['11'.repeat(32), '22'.repeat(32)];
const cipher = new Cipher(OLD);
const asked = { job: 'deploy', input: '{"pin":"1234"}', beside: false, rerunOf: null };

test('a request with a secret is known again under any key there is, and no other request is', () => {
  const stored = hashOfRequest(asked, cipher);
  const rotated = new Cipher(`${NEW},${OLD}`);

  expect(isSameRequest(stored, asked, cipher)).toBe(true);
  expect(isSameRequest(stored, asked, rotated)).toBe(true);
  expect(isSameRequest(stored, { ...asked, input: '{"pin":"1235"}' }, cipher)).toBe(false);
  expect(isSameRequest(stored, { ...asked, beside: true }, cipher)).toBe(false);
  expect(isSameRequest(stored, { ...asked, rerunOf: 'deploy!a' }, cipher)).toBe(false);
  expect(isSameRequest(stored, asked, new Cipher(NEW))).toBe(false);
  expect(isSameRequest(stored, asked, null)).toBe(false);
});

test('its hash is not one that could be found by trying, without the key', () => {
  const stored = hashOfRequest(asked, cipher);

  expect(stored).not.toBe(hashOfRequest(asked, new Cipher(NEW)));
  expect(stored).not.toContain(hashOfRequest(asked, null));
});

test('a request that was made before its input had a secret is known again', () => {
  const stored = hashOfRequest(asked, null);

  expect(isSameRequest(stored, asked, cipher)).toBe(true);
  expect(isSameRequest(stored, { ...asked, input: null }, cipher)).toBe(false);
  expect(isSameRequest(null, asked, cipher)).toBe(false);
});

test('a run that repeats another is known as such without the key, until it is replaced', () => {
  const requestHash = hashOfRequest({ ...asked, rerunOf: 'deploy!a' }, cipher);
  const again = run({ job: 'deploy', trigger: 'manual', requestHash, cause: 'deploy!a' });

  expect(isRerun(again)).toBe(true);
  expect(isRerun({ ...again, cause: 'deploy!b' })).toBe(false);
  expect(isRerun({ ...again, requestHash: hashOfRequest(asked, cipher) })).toBe(false);
});
