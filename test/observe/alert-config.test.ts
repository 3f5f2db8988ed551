import { describe, expect, test } from 'vitest';
import { ConfigProblems, readConfig } from '../../server/config.ts';

const alertsOf = (env: Record<string, string>) => readConfig(env, '/', 0).alerts;

function problems(env: Record<string, string>): string {
  try {
    readConfig(env, '/', 0);
    return 'none';
  } catch (error) {
    if (error instanceof ConfigProblems) return error.message;
    throw error;
  }
}

const URL_ = 'PUNCTUAL_ALERT_URL';
const PRIVATE = { PUNCTUAL_ALERT_PRIVATE: 'yes' };

test('nobody is told unless an address is set', () => {
  expect(alertsOf({})).toBeNull();
  expect(alertsOf({ PUNCTUAL_ALERT_URL: '', PUNCTUAL_ALERT_PRIVATE: 'no' })).toBeNull();
});

test('an address, a secret and whether it may be private', () => {
  const env = {
    [URL_]: 'https://alerts.example.com/punctual?a=b',
    PUNCTUAL_ALERT_SECRET: '0123456789abcdef',
  };

  expect(alertsOf(env)).toEqual({
    url: 'https://alerts.example.com/punctual?a=b',
    secret: '0123456789abcdef',
    privateToo: false,
  });
});

describe('wrong is', () => {
  test.each([
    ['no URL', 'h://x', 'is not what it should be; right would be such as https://'],
    ['a URL without a host', 'https://:80/', 'is no URL'],
    ['a name and password', 'https://a:b@h.example.com/', 'has a user or a password'],
    ['http', 'http://h.example.com/', 'is http, which is for a private network only'],
    ['this machine', 'https://127.0.0.1/', 'leads to this machine itself; PUNCTUAL_ALERT_PRIVATE'],
    ['this machine, in hex', 'https://0x7f.1/', 'leads to this machine itself'],
    ['a private network', 'https://[fd12::1]/', 'leads to an address of a private network'],
    ['metadata', 'https://169.254.169.254/', 'leads to where a cloud hands out credentials'],
    ['nobody', 'https://0.0.0.0/', 'leads to a reserved address'],
  ])('%s', (_what, url, words) => {
    expect(problems({ [URL_]: url })).toContain(`${URL_} ${words}`);
  });

  test.each([
    ['a public address in clear', 'http://93.184.216.34/', 'right would be https'],
    ['metadata', 'http://169.254.169.254/', 'leads to where a cloud hands out credentials'],
  ])('%s, where private ones are allowed too', (_what, url, words) => {
    expect(problems({ [URL_]: url, ...PRIVATE })).toContain(words);
  });

  test('a secret that can be guessed, or without an address', () => {
    expect(
      problems({ [URL_]: 'https://h.example.com/', PUNCTUAL_ALERT_SECRET: 'short' }),
    ).toContain('PUNCTUAL_ALERT_SECRET is not what it should be; right would be 16 to 200 letters');
    expect(problems({ PUNCTUAL_ALERT_SECRET: '0123456789abcdef' })).toBe(
      'PUNCTUAL_ALERT_SECRET is set, and needs PUNCTUAL_ALERT_URL',
    );
  });

  test('and never told with what it was, which may be secret', () => {
    const told = [
      problems({ [URL_]: 'hppts://hooks.example.com/T0P-SECRET' }),
      problems({ [URL_]: 'http://hooks.example.com/T0P-SECRET' }),
      problems({ [URL_]: 'https://u:T0P-SECRET@hooks.example.com/' }),
      problems({ [URL_]: 'https://h.example.com/', PUNCTUAL_ALERT_SECRET: 'T0P-SECRET' }),
    ];

    expect(told.every((text) => text.startsWith('PUNCTUAL_ALERT'))).toBe(true);
    expect(told.join()).not.toContain('T0P-SECRET');
  });
});

test.each(['http://127.0.0.1:9/x', 'http://alerts.internal/x', 'https://10.1.2.3/x'])(
  '%s is right where private ones are allowed',
  (url) => {
    expect(alertsOf({ [URL_]: url, ...PRIVATE })).toMatchObject({ url, privateToo: true });
  },
);
