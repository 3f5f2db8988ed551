import { describe, expect, test } from 'vitest';
import { Scrubber } from '../../server/core/secrets/scrubber.ts';

const knowing = (...secrets: readonly unknown[]): Scrubber => {
  const scrubber = new Scrubber();
  scrubber.learn(secrets);
  return scrubber;
};

describe('a text', () => {
  test('has no secret left in it, however often and wherever it stands', () => {
    const { text } = knowing('hunter2', { deep: ['correct horse'] });

    expect(text('hunter2')).toBe('[secret]');
    expect(text('a hunter2, hunter2hunter2 and correct horse!')).toBe(
      'a [secret], [secret][secret] and [secret]!',
    );
    expect(text('nothing to see')).toBe('nothing to see');
  });

  test.each<[how: string, written: (secret: string) => string]>([
    ['in JSON', (secret) => JSON.stringify({ a: secret })],
    ['in JSON within JSON', (secret) => JSON.stringify(JSON.stringify({ a: secret }))],
    ['in a path', (secret) => encodeURIComponent(secret)],
    ['in a URL', (secret) => encodeURI(secret)],
    ['in a query', (secret) => new URLSearchParams({ a: secret }).toString()],
    ['in base64', (secret) => Buffer.from(secret).toString('base64')],
    ['in base64 for URLs', (secret) => Buffer.from(secret).toString('base64url')],
    ['in hex', (secret) => Buffer.from(secret).toString('hex')],
    ['in lines', (secret) => secret.split('\n').join('\n> ')],
    ['trimmed', (secret) => `>${secret.trim()}<`],
  ])('has no secret left in it %s', (_how, written) => {
    const secret = ' p@ss "word"\\ & ünïcode/\n  second line ';

    const scrubbed = knowing(secret).text(`before ${written(secret)} after`);

    expect(scrubbed).toMatch(/^before.*\[secret\]/s);
    expect(scrubbed).toContain('after');
    expect(scrubbed).not.toMatch(/ss|word|second|code|63/);
  });

  test('keeps what is shorter than six signs, numbers, and what is blank', () => {
    const scrubber = knowing('short', 123_456, '          ', null, true, '');

    expect(scrubber.text('short 123456           true null')).toBe(
      'short 123456           true null',
    );
    expect(scrubber.json('{"a":123456}')).toBe('{"a":123456}');
  });

  test('loses the longest of several that begin alike', () => {
    expect(knowing('secret', 'secret-longer').text('secret-longer secret-long')).toBe(
      '[secret] [secret]-long',
    );
  });

  test('is gone over once, so that what takes a place is not taken again', () => {
    expect(knowing('secret').text('a secret')).toBe('a [secret]');
  });

  test('loses thousands of secrets as it does one', () => {
    const secrets = Array.from({ length: 5000 }, (_, i) => `secret-number-${i}-`);

    const scrubbed = knowing(...secrets).text(`x${secrets.slice(0, 300).join('|')}x`);

    expect(scrubbed).toBe(`x${Array(300).fill('[secret]').join('|')}x`);
  });
});

describe('a text of JSON', () => {
  test('stays one', () => {
    const scrubber = knowing('"},{"a":"', '123456', 'the-key');
    const value = { a: '"},{"a":"', n: 1_123_456.5, ['the-key']: ['x 123456'], b: null, c: -1 };

    expect(JSON.parse(scrubber.json(JSON.stringify(value)))).toEqual({
      a: '[secret]',
      n: '[secret]',
      '[secret]': ['x [secret]'],
      b: null,
      c: -1,
    });
  });

  test('that is none is taken as any text', () => {
    expect(knowing('hunter2').json('{"a":"hunter2')).toBe('{"a":"[secret]');
  });
});
