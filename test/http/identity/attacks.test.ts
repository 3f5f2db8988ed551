import { describe, expect, test } from 'vitest';
import { tokensKey } from '../../../server/core/meta.ts';
import { addressOf } from '../../../server/http/access.ts';
import { readTokens } from '../../../server/http/identity/token-list.ts';
import { job } from '../../service.ts';
import { FROM_PAGE, serve } from '../client.ts';
import { form } from '../forms.ts';
import { SERVICE, type Headers } from '../triggering.ts';
import { request, tell, Wire } from '../wire.ts';
import { cookie, fromForm, openTo, tokenIn } from './callers.ts';

/** What somebody tried who wanted to come in, and what each of it comes to. */

const TOKENS = { PUNCTUAL_AUTH: 'tokens' };

describe('a proxy on this machine that nobody told of who is trusted here', () => {
  test.each([
    'Forwarded: for=203.0.113.7',
    'X-Forwarded-For:',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Server: shop.example.com',
    'X-Real-IP: 203.0.113.7',
    'CF-Connecting-IP: 203.0.113.7',
    'Via: 1.1 shop.example.com',
  ])('gives itself away by "%s"', async (line) => {
    const { url } = await serve([job({})]);
    const [name = '', value = ''] = line.split(': ');

    expect((await tell(url, request('GET /', { [name]: value }))).status).toBe(403);
  });

  // As nginx forwards, if it is told no more than where to.
  test('gives itself away by HTTP/1.0', async () => {
    const { url } = await serve([job({})]);
    const head = `Host: ${new URL(url).host}\r\nConnection: close\r\n\r\n`;

    expect((await tell(url, `GET / HTTP/1.1\r\n${head}`)).status).toBe(200);
    expect((await tell(url, `GET / HTTP/1.0\r\n${head}`)).status).toBe(403);
  });

  test('is of no account where a token says who asks', async () => {
    const { url, service } = await openTo('machine', { PUNCTUAL_AUTH: 'loopback,tokens' });
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const head = `Host: ${new URL(url).host}\r\nContent-Type: application/json`;
    const post = `POST /api/v1/jobs/job/runs HTTP/1.0\r\n${head}\r\nContent-Length: 2`;

    const known = await tell(url, `${post}\r\nAuthorization: Bearer ${text}\r\n\r\n{}`);
    const unknown = await tell(url, `${post}\r\n\r\n{}`);

    expect([known.status, unknown.status]).toEqual([202, 401]);
  });
});

test.each([
  'localhost.',
  'localhost.evil.example',
  '127.0.0.1.nip.io',
  '127.0.0.1.',
  '127.1',
  '0.0.0.0',
  '[::ffff:127.0.0.1]',
  'x@localhost',
  'localhost:1:1',
  'localhost:x',
  'localhost,x',
  '',
])('a page that calls this machine %j is none of its own', async (Host) => {
  const { url } = await serve([job({})]);

  expect((await tell(url, request('GET /', { Host }))).status).toBe(403);
});

describe('requests on one connection', () => {
  test('are each judged by what they bear themselves', async () => {
    const { url, service } = await openTo('machine', TOKENS);
    const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const bob = await tokenIn(service.store, { name: 'bob', role: 'viewer' });
    const ci = await tokenIn(service.store, { name: 'ci', role: 'operator', jobs: ['other'] });
    const all: Headers[] = [bob.bearer, ada.bearer, {}, bob.bearer, ci.bearer, ada.bearer, {}];

    const wire = new Wire(url);
    wire.say(all.map((headers) => request('GET /metrics', headers)).join(''));
    const { answers } = await wire.answers(all.length);

    expect(answers.map(({ status }) => status)).toEqual([403, 200, 401, 403, 403, 200, 401]);
  });
});

describe('who tries to sign in', () => {
  const secured = { Cookie: `__Host-${FROM_PAGE.Cookie}`, Origin: SERVICE };
  /** How often somebody who comes from each of these may try. */
  const tries = async (place: 'machine' | 'cloud-run', addresses: readonly string[]) => {
    const { ask } = await openTo(place, { ...TOKENS, PUNCTUAL_SERVICE_URL: SERVICE });
    const statuses = [];
    for (const address of addresses) {
      const headers = { ...secured, 'X-Forwarded-For': address };
      statuses.push((await ask('POST', '/login', form({ token: 'guess' }, headers))).status);
    }
    return statuses.filter((status) => status !== 429).length;
  };
  const some = (of: (i: number) => string) => Array.from({ length: 20 }, (_, i) => of(i));

  test('behind a proxy on this machine keeps nobody else there from it', async () => {
    const same = await tries(
      'machine',
      some((i) => `198.51.100.${i}, 203.0.113.7`),
    );
    const others = await tries(
      'machine',
      some((i) => `203.0.113.${i}`),
    );

    expect([same, others]).toEqual([5, 20]);
  });

  test('has as one address all those that are given to one', async () => {
    const lower = some((i) => `2001:db8:1:2:${i}::1`);
    const short = some((i) => `2001:db8::${i}`);
    const other = some((i) => `2001:db8:1:${i}::1`);

    expect([await tries('cloud-run', lower), await tries('cloud-run', short)]).toEqual([5, 5]);
    expect(await tries('cloud-run', other)).toBe(20);
    expect(
      await tries(
        'cloud-run',
        some((i) => `::ffff:203.0.113.${i}`),
      ),
    ).toBe(20);
  });

  test('from elsewhere is believed nothing about where that is', () => {
    const said = { 'x-forwarded-for': '198.51.100.1', 'x-appengine-user-ip': '198.51.100.2' };
    const from = (remoteAddress: string, platform: 'app-engine' | 'cloud-run' | null) => {
      const headersDistinct = { 'x-forwarded-for': [said['x-forwarded-for']] };
      return addressOf(
        { socket: { remoteAddress }, headers: said, headersDistinct } as never,
        platform,
      );
    };

    expect(from('203.0.113.7', null)).toBe('203.0.113.7');
    expect(from('::ffff:203.0.113.7', null)).toBe('::ffff:203.0.113.7');
    expect(from('::ffff:127.0.0.1', null)).toBe('198.51.100.1');
    expect(from('203.0.113.7', 'cloud-run')).toBe('198.51.100.1');
    expect(from('203.0.113.7', 'app-engine')).toBe('198.51.100.2');
  });

  test('can’t make us remember what is no address', async () => {
    expect(
      await tries(
        'machine',
        some((i) => `${'x'.repeat(1000)}${i}`),
      ),
    ).toBe(5);
  });
});

test('who guesses at one token keeps no other from being known', async () => {
  const { ask, service } = await openTo('machine', TOKENS);
  const bob = await tokenIn(service.store, { name: 'bob', role: 'viewer' });
  const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
  const start = bob.text.slice(0, -4);
  const look = async (headers: Headers) =>
    (await ask('GET', '/api/v1/jobs', { headers: { ...headers } })).status;

  const guesses = Array.from({ length: 100 }, (_, i) =>
    look({ Authorization: `Bearer ${start}${1000 + i}` }),
  );
  const known = await Promise.all([look(ada.bearer), look(ada.bearer), look(ada.bearer)]);
  const guessed = await Promise.all(guesses);

  expect(known).toEqual([200, 200, 200]);
  expect(guessed.filter((status) => status === 429).length).toBeGreaterThan(90);
  expect(guessed).not.toContain(200);
});

describe('tokens that were changed by hand', () => {
  test.each<[string, Record<string, unknown>]>([
    ['whose key is none', { publicKey: 'x' }],
    ['whose key is too long', { publicKey: 'A'.repeat(100_000) }],
    ['whose role is none', { role: 'owner' }],
    ['whose jobs are none', { jobs: 'all' }],
    ['whose salt is none', { salt: 7 }],
  ])('let nobody in %s, and all others go on', async (_how, damage) => {
    const { ask, service, url } = await openTo('machine', TOKENS);
    const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const bob = await tokenIn(service.store, { name: 'bob', role: 'viewer' });
    const [first, ...rest] = await readTokens(service.store, 'default');
    const meta = await service.store.readMeta(tokensKey('default'));
    const tokens = [{ ...first, ...damage }, null, 'x', {}, ...rest];
    await service.store.writeMeta(tokensKey('default'), { tokens }, meta?.version);
    const look = async (headers: Headers) => (await ask('GET', '/', { headers })).status;

    const statuses = [
      await look(cookie(ada.session, false)),
      await look({ ...ada.bearer }),
      await look(cookie(bob.session, false)),
      await look({ ...bob.bearer }),
    ];
    const { session } = ada;
    const change = { ...cookie(session, false), ...fromForm(session), Origin: url };
    const start = await ask('POST', '/api/v1/jobs/job/runs', { headers: change });

    expect([...statuses, start.status]).toEqual([401, 401, 200, 200, 401]);
  });

  test.each([{}, [], 'x', null, { tokens: 'x' }, { tokens: { 0: 1 } }])(
    'all of them (%j): let nobody in',
    async (value) => {
      const { ask, service } = await openTo('machine', TOKENS);
      const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
      const meta = await service.store.readMeta(tokensKey('default'));
      await service.store.writeMeta(tokensKey('default'), value, meta?.version);

      const { status } = await ask('GET', '/', { headers: { ...ada.bearer } });

      expect(status).toBe(401);
    },
  );
});

test('while the store does not answer nobody is let in, and nobody is told that they are wrong', async () => {
  const { ask, service } = await openTo('machine', TOKENS);
  const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
  await service.store.close();

  const statuses = [
    (await ask('GET', '/', { headers: { ...ada.bearer } })).status,
    (await ask('GET', '/', { headers: cookie(ada.session, false) })).status,
    (await ask('GET', '/api/v1/jobs', { headers: { ...ada.bearer } })).status,
    (await ask('POST', '/login', form({ token: ada.text }))).status,
    (await ask('GET', '/')).status,
  ];

  expect(statuses).toEqual([503, 503, 503, 503, 401]);
});

test('no answer may be kept by anybody on the way, but styles and what every caller may read', async () => {
  const { ask, service } = await openTo('machine', TOKENS);
  const { bearer } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
  await service.wake('00:01');
  const { id } = await service.lastRun();
  const run = `/runs/${encodeURIComponent(id)}`;
  const pages = '/ /jobs/none /login /logout /healthz /metrics /none /assets/none /jobs/%zz';
  const programs = '/api/v1 /api/v1/none /api/v1/jobs/none /triggers/tick /_ah/start';
  const ofRun = [run, `${run}/log`, `${run}/log.txt`, `${run}/earlier`, `/api/v1${run}`];
  const paths = [...pages.split(' '), ...programs.split(' '), ...ofRun];

  const kept = [];
  for (const path of paths) {
    for (const headers of [{}, { ...bearer }, { ...bearer, Accept: 'text/html' }]) {
      const answer = await ask('GET', path, { headers, redirect: 'manual' });
      const said = answer.headers.get('Cache-Control');
      if (said !== 'no-store') kept.push([path, answer.status, said]);
    }
  }

  expect(kept).toEqual([]);
});
