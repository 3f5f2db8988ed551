import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  Cipher,
  isEncrypted,
  SECRET_KEYS,
  SecretUnreadable,
} from '../../server/core/secrets/cipher.ts';

const [OLD, NEW] = ['11'.repeat(32), '22'.repeat(32)];
const HERE = { job: 'deploy', runId: 'deploy!abc', pointer: '/token' };

describe('a secret', () => {
  test('comes back as it was, and never twice in one form', () => {
    const cipher = new Cipher(OLD);

    const [one, two] = [cipher.encrypt('"hunter2 ✓"', HERE), cipher.encrypt('"hunter2 ✓"', HERE)];

    expect(cipher.decrypt(one, HERE).trimEnd()).toBe('"hunter2 ✓"');
    expect(isEncrypted(one)).toBe(true);
    expect(one).not.toBe(two);
    expect(one).not.toContain('hunter2');
  });

  test.each([
    ['another job', { ...HERE, job: 'other' }],
    ['another run', { ...HERE, runId: 'deploy!abd' }],
    ['another place', { ...HERE, pointer: '/note' }],
  ])('can not be read as one of %s', (_what, elsewhere) => {
    const cipher = new Cipher(OLD);
    const stored = cipher.encrypt('"hunter2"', HERE);

    expect(() => cipher.decrypt(stored, elsewhere)).toThrow("can't be decrypted");
  });

  test('can not be read once any sign of it is another', () => {
    const cipher = new Cipher(OLD);
    const stored = cipher.encrypt('"hunter2"', HERE);

    for (let at = 0; at < stored.length; at++) {
      const other = stored[at] === 'A' ? 'B' : 'A';
      const changed = stored.slice(0, at) + other + stored.slice(at + 1);
      // The last sign of base64 may have bits that mean nothing.
      if (
        Buffer.from(changed.split('.')[3] ?? '', 'base64url').equals(
          Buffer.from(stored.split('.')[3] ?? '', 'base64url'),
        ) &&
        at > stored.lastIndexOf('.')
      )
        continue;
      expect(() => cipher.decrypt(changed, HERE), `sign ${at}`).toThrow(SecretUnreadable);
    }
  });

  test('can not be read once it is shortened', () => {
    const cipher = new Cipher(OLD);
    const stored = cipher.encrypt('"hunter2"', HERE);

    for (let length = 0; length < stored.length; length++) {
      expect(() => cipher.decrypt(stored.slice(0, length), HERE)).toThrow(SecretUnreadable);
    }
  });

  test('does not tell how long it is, if it is short', () => {
    const cipher = new Cipher(OLD);

    const lengths = ['1', '"1234"', '"a password of 24 signs"'].map(
      (text) => cipher.encrypt(text, HERE).length,
    );

    expect(new Set(lengths).size).toBe(1);
  });
});

describe('keys', () => {
  test('of several the first encrypts, and all decrypt', () => {
    const before = new Cipher(OLD).encrypt('"hunter2"', HERE);
    const both = new Cipher(`${NEW}, ${OLD}`);

    const after = both.encrypt('"hunter2"', HERE);

    expect(both.decrypt(before, HERE).trimEnd()).toBe('"hunter2"');
    expect(new Cipher(NEW).decrypt(after, HERE).trimEnd()).toBe('"hunter2"');
    expect(() => new Cipher(OLD).decrypt(after, HERE)).toThrow(
      /^the secret \/input\/token was encrypted with the key "[\w-]{8}", which PUNCTUAL_SECRET_KEY does not have/,
    );
  });

  test('are the same as hex and as base64', () => {
    const bytes = Buffer.from(OLD, 'hex');
    const stored = new Cipher(OLD).encrypt('1', HERE);

    for (const form of ['base64', 'base64url'] as const) {
      expect(new Cipher(bytes.toString(form)).decrypt(stored, HERE).trimEnd()).toBe('1');
    }
    expect(new Cipher(OLD.toUpperCase()).decrypt(stored, HERE).trimEnd()).toBe('1');
  });

  test('of any other length are none', () => {
    const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');
    const good = [OLD, ` ${OLD} , ${NEW} `, base64(32), Buffer.alloc(32).toString('base64url')];
    const bad = [
      '',
      'secret',
      OLD.slice(1),
      `${OLD}0`,
      base64(31),
      base64(33),
      `${OLD},`,
      `${OLD} ${NEW}`,
    ];

    expect(good.filter((text) => !SECRET_KEYS.test(text))).toEqual([]);
    expect(bad.filter((text) => SECRET_KEYS.test(text))).toEqual([]);
  });

  test('are nowhere when a cipher is printed', () => {
    const cipher = new Cipher(OLD);

    expect(inspect(cipher, { depth: 9, showHidden: true }) + JSON.stringify(cipher)).not.toMatch(
      /1111|EREREREREREREREREREREREREREREREREREREREREQ/,
    );
  });
});

describe('a signature', () => {
  test('is known again by whichever key made it, and by no other', () => {
    const made = new Cipher(OLD).sign('what was asked for');

    expect(new Cipher(`${NEW},${OLD}`).signed('what was asked for', made)).toBe(true);
    expect(new Cipher(NEW).signed('what was asked for', made)).toBe(false);
    expect(new Cipher(OLD).signed('something else', made)).toBe(false);
    expect(new Cipher(OLD).signed('what was asked for', `${made}x`)).toBe(false);
    expect(new Cipher(OLD).signed('what was asked for', '')).toBe(false);
  });
});
