import { describe, expect, test } from 'vitest';
import { forWhom } from '../server/config-access.ts';
import { readConfig } from '../server/config.ts';

/** Who may do what, as the environment says it. */

const read = (env: Record<string, string>) => readConfig(env, '/', 0);
const APP_ENGINE = { GAE_ENV: 'standard' };
const URL = { PUNCTUAL_SERVICE_URL: 'https://punctual.example.com' };
const AUDIENCE = { PUNCTUAL_IAP_AUDIENCE: '/projects/123/apps/shop' };

test('without a word it is this machine alone, and on Google’s nobody', () => {
  const [here, there] = [read({}), read(APP_ENGINE)];

  expect([here.host, here.access.modes, forWhom(here.access)]).toEqual([
    '127.0.0.1',
    ['loopback'],
    'for this machine alone',
  ]);
  expect([there.host, there.access.modes]).toEqual(['0.0.0.0', []]);
  expect(forWhom(there.access)).toContain('nobody but those who trigger');
});

describe('a service that others can reach', () => {
  test.each(['0.0.0.0', '::', '192.168.1.7', 'punctual.lan'])(
    'at %s does not start without credentials',
    (HOST) => {
      const why = `HOST is ${HOST}, which others can reach, and no credentials are asked for: set`;

      expect(() => read({ HOST })).toThrow(why);
      expect(() => read({ HOST, PUNCTUAL_AUTH: 'loopback' })).toThrow(why);
      expect(read({ HOST, PUNCTUAL_AUTH: 'tokens' }).access.modes).toEqual(['tokens']);
    },
  );

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('at %s is not one', (HOST) => {
    expect(read({ HOST }).host).toBe(HOST);
  });
});

describe('what makes no sense is refused with what would', () => {
  test.each<[Record<string, string>, string]>([
    [{ PUNCTUAL_AUTH: 'token' }, 'PUNCTUAL_AUTH has "token"; right would be some of loopback, tok'],
    [{ PUNCTUAL_AUTH: 'none!' }, 'PUNCTUAL_AUTH is "none!"; right would be some of loopback'],
    [
      { PUNCTUAL_AUTH: 'iap', ...AUDIENCE },
      'PUNCTUAL_AUTH has iap, and needs PUNCTUAL_OPERATORS or',
    ],
    [{ PUNCTUAL_AUTH: 'iap', PUNCTUAL_VIEWERS: '@a.com' }, 'iap, and needs PUNCTUAL_IAP_AUDIENCE'],
    [
      { PUNCTUAL_AUTH: 'google', PUNCTUAL_VIEWERS: '@a.com' },
      'needs PUNCTUAL_SERVICE_URL, the aud',
    ],
    [{ PUNCTUAL_VIEWERS: '@a.com' }, 'name whom Google vouches for, and need iap or google in'],
    [{ PUNCTUAL_AUTH: 'google', ...URL, PUNCTUAL_OPERATORS: 'ada' }, 'PUNCTUAL_OPERATORS is "ada"'],
    [{ PUNCTUAL_AUTH: 'iap', PUNCTUAL_IAP_AUDIENCE: 'x' }, 'right would be /projects/NUMBER/apps'],
    [{ ...APP_ENGINE, PUNCTUAL_AUTH: 'loopback' }, 'loopback, which says nothing on app-engine'],
    [
      { PUNCTUAL_TRIGGERS_PER_SECOND: '-1' },
      'PUNCTUAL_TRIGGERS_PER_SECOND is "-1"; right would be',
    ],
  ])('%j', (env, told) => {
    expect(() => read(env)).toThrow(told);
  });
});

test('several ways hold at once, in any order and with any spaces', () => {
  const people = { PUNCTUAL_OPERATORS: 'ada@example.com, @ops.example.com' };

  const { access } = read({ PUNCTUAL_AUTH: ' iap,tokens ', ...AUDIENCE, ...people });

  expect(access.modes).toEqual(['tokens', 'iap']);
  expect(access.operators).toEqual(['ada@example.com', '@ops.example.com']);
});
