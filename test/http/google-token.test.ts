import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TEST_START } from '../test-clock.ts';
import { signedPart, token, type Claims } from './google.ts';
import {
  SERVICE,
  SCHEDULER,
  STRANGER,
  TICK,
  google,
  impostor,
  nextKey,
  type Headers,
  ACCOUNTS,
  open,
  seconds,
  claims,
  bearer,
  from,
  expectNothingOf,
  rawPost,
} from './triggering.ts';

// The library reads the clock itself: it and the service are shown the same one.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: TEST_START }));
afterEach(() => void vi.useRealTimers());

describe('a token', () => {
  const signed = (more: Claims, header?: Claims) => (): string =>
    token(google, claims(more), header);
  const part = (header: Claims): string => signedPart({ kid: google.kid, ...header }, claims());
  const withSecret = (secret: string) => (): string => {
    const text = part({ alg: 'HS256' });
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const ahead = (more: number) => (): string => signed({ iat: seconds() + more })();

  test.each<[string, () => string, string]>([
    ['for another audience', signed({ aud: 'https://other.example.com' }), 'audience'],
    ['for several audiences', signed({ aud: [SERVICE, 'https://other.example.com'] }), 'audience'],
    ['for a path of the service', signed({ aud: `${SERVICE}/triggers/tick` }), 'audience'],
    ['for no audience', signed({ aud: undefined }), 'audience'],
    ['of another issuer', signed({ iss: 'https://evil.example' }), 'issuer'],
    ["of the library's third issuer", signed({ iss: 'googleapis.com' }), 'issuer'],
    ['whose e-mail is not verified', signed({ email_verified: false }), 'email-unverified'],
    ['whose e-mail may be verified', signed({ email_verified: 'true' }), 'email-unverified'],
    ['that does not say so', signed({ email_verified: undefined }), 'email-unverified'],
    ['without an e-mail', signed({ email: undefined }), 'email-unverified'],
    ['with a list of e-mails', signed({ email: [SCHEDULER] }), 'email-unverified'],
    ['expired for a minute', () => signed({ exp: seconds() - 60 })(), 'expired'],
    ['expired for an hour', () => signed({ exp: seconds() - 3600 })(), 'expired'],
    ['not valid for a minute and a second', ahead(61), 'not-yet-valid'],
    ['not valid for an hour', ahead(3600), 'not-yet-valid'],
    ['issued later', () => signed({ iat: seconds() + 61, nbf: seconds() })(), 'not-yet-valid'],
    ['not before later', () => signed({ nbf: seconds() + 61 })(), 'not-yet-valid'],
    ['valid for two days', () => signed({ exp: seconds() + 172_800 })(), 'lives-too-long'],
    ['that expires in words', () => signed({ exp: `${seconds() + 60}` })(), 'malformed'],
    ['that begins in words', () => signed({ nbf: 'now' })(), 'malformed'],
    ['without an expiry', signed({ exp: undefined }), 'malformed'],
    ['without an issue time', signed({ iat: undefined }), 'malformed'],
    ['signed by somebody else', () => token(impostor, claims()), 'signature'],
    [
      'with claims changed after signing',
      () => {
        const [header, , signature] = token(google, claims({ email: STRANGER })).split('.');
        return [header, signedPart({}, claims()).split('.')[1], signature].join('.');
      },
      'signature',
    ],
    ['signed with an unknown key', () => token(nextKey, claims()), 'unknown-key'],
    ['that names no key', signed({}, { kid: undefined }), 'unknown-key'],
    ['that names a key of no certificate', signed({}, { kid: '__proto__' }), 'unknown-key'],
    ['without a signature', () => `${part({ alg: 'none' })}.`, 'malformed'],
    ['with an idle signature', () => `${part({ alg: 'none' })}.AAAA`, 'signature'],
    ['that denies its signature', signed({}, { alg: 'none' }), 'algorithm'],
    ['by the public key as a secret', withSecret(google.publicPem), 'signature'],
    ['by the certificate as a secret', withSecret(google.certificate), 'signature'],
    ['that says HS256 of an RSA signature', signed({}, { alg: 'HS256' }), 'algorithm'],
    ['that says ES256 of an RSA signature', signed({}, { alg: 'ES256' }), 'malformed'],
    ['of one word', () => 'secret', 'malformed'],
    ['of two parts', () => part({ alg: 'RS256' }), 'malformed'],
    ['of four parts', () => `${signed({})()}.AAAA`, 'malformed'],
    ['of no JSON', () => 'AAAA.BBBB.CCCC', 'malformed'],
    ['with a list for claims', () => token(google, []), 'malformed'],
    ['with nothing for claims', () => token(google, null), 'malformed'],
    ['longer than any of Google’s', signed({ more: 'x'.repeat(4096) }), 'malformed'],
    ['and something after it', () => `${signed({})()} more`, 'malformed'],
    ['and a second one', () => `${signed({})()}, Bearer ${signed({})()}`, 'malformed'],
  ])('%s is refused everywhere, and nothing is told of it', async (_what, make, reason) => {
    const { statuses, post, reasons, service } = await open('cloud-run');
    const sent = make();

    const got = await statuses(bearer(sent));
    const told = await post(TICK, bearer(sent));
    const anonymous = await post(TICK);

    expect(got).toEqual([401, 401, 401]);
    expect(told.text).toBe(anonymous.text);
    expect(told.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(reasons()).toEqual([reason, reason, reason, reason, 'no-token']);
    expectNothingOf(sent, [told.text, ...service.logged]);
    expect(await service.runs()).toEqual([]);
  });

  test.each<[string, Headers, string]>([
    ['of another scheme', { Authorization: 'Basic c2NoZWR1bGVyOg==' }, 'malformed'],
    ['with nothing but its scheme', { Authorization: 'Bearer' }, 'malformed'],
    ['that is empty', { Authorization: '' }, 'malformed'],
  ])('a credential %s is refused', async (_what, headers, reason) => {
    const { url, page, reasons } = await open('cloud-run');

    const { status } = await rawPost(url, TICK, headers);

    expect([status, ...reasons()]).toEqual([401, reason]);
    expect(page.asked).toBe(0);
  });

  test('counts nowhere but in its header', async () => {
    const { post, ask } = await open('cloud-run');
    const good = token(google, claims());
    const body = JSON.stringify({ access_token: good });

    const answers = [
      await post(`${TICK}?access_token=${good}`),
      await post(TICK, { 'X-Serverless-Authorization': `Bearer ${good}` }),
      await post(TICK, { Cookie: `token=${good}` }),
      await ask('POST', TICK, { body, headers: { 'Content-Type': 'application/json' } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  test.each([
    ['a good one first', () => [token(google, claims()), 'x']],
    ['a good one last', () => ['x', token(google, claims())]],
    ['two good ones', () => [token(google, claims()), token(google, claims())]],
  ])('is refused beside another: %s', async (_what, make) => {
    const { url, reasons, service } = await open('cloud-run');
    const sent = make();

    const { status, text } = await rawPost(url, TICK, {
      Authorization: sent.map((one) => `Bearer ${one}`),
    });

    expect([status, ...reasons()]).toEqual([401, 'several-tokens']);
    for (const one of sent) expectNothingOf(one, [text, ...service.logged]);
  });

  test.each<[string, () => Claims]>([
    ['expired for less than a minute', () => ({ exp: seconds() - 59 })],
    ['valid in less than a minute', () => ({ iat: seconds() + 59, nbf: seconds() + 59 })],
    ['of Google’s other name', () => ({ iss: 'accounts.google.com' })],
  ])('%s is taken', async (_what, more) => {
    const { post } = await open('cloud-run');

    expect((await post(TICK, bearer(token(google, claims(more()))))).status).toBe(200);
  });

  test('is taken under any spelling of its scheme', async () => {
    const { post } = await open('cloud-run');
    const Authorization = `bearer ${token(google, claims())}`;

    expect((await post(TICK, { Authorization })).status).toBe(200);
  });
});

describe("Google's certificates", () => {
  test.each<[string, { status?: number; body?: string }]>([
    ['are not there', { status: 500 }],
    ['are refused', { status: 404 }],
    ['are an error page', { body: '<html>sign in first</html>' }],
    ['are none', { body: '{}' }],
    ['are no certificates', { body: '{"google-1":"-----BEGIN CERTIFICATE-----"}' }],
  ])('when they %s, nobody is let in, and all are when they are back', async (_how, trouble) => {
    const { page, post, statuses, service, reasons } = await open('cloud-run');
    const sent = token(google, claims());
    Object.assign(page, trouble);

    const [refused, told] = [await statuses(bearer(sent)), await post(TICK, bearer(sent))];
    Object.assign(page, { status: 200, body: undefined });
    const after = await statuses(bearer(sent));

    expect(refused).toEqual([503, 503, 503]);
    expect(told.headers.get('Retry-After')).toBe('5');
    expect(after).toEqual([200, 200, 403]);
    expect(reasons()).toEqual(['not-for-this-account']);
    expect(service.logged.filter((line) => line.startsWith('error request_failed'))).toHaveLength(
      4,
    );
    expectNothingOf(sent, [told.text, ...service.logged]);
  });

  test('when nobody answers, the answer is 503, also for a forged token', async () => {
    const nowhere = 'http://127.0.0.1:1/certs';
    const { service, post } = await open('cloud-run', ACCOUNTS, nowhere);
    const forged = token(impostor, claims());

    const answer = await post(TICK, bearer(forged));

    expect(answer.status).toBe(503);
    expectNothingOf(forged, [answer.text, ...service.logged]);
  });

  test('are not needed for what shows no token', async () => {
    const { page, post, statuses } = await open('app-engine');
    page.status = 500;

    expect((await post(TICK)).status).toBe(401);
    expect(await statuses({ 'X-Appengine-Cron': 'true' })).toEqual([200, 200, 403]);
    expect(page.asked).toBe(0);
  });

  test('a key that Google withdraws is refused when the time that it said is over', async () => {
    const { page, post, later } = await open('cloud-run');
    const status = async () => (await post(TICK, from(SCHEDULER))).status;
    const first = await status();
    page.shown = [nextKey];

    later(3_599_000);
    const within = await status();
    later(2000);
    const after = await status();

    expect([first, within, after]).toEqual([200, 200, 401]);
    expect(page.asked).toBe(2);
  });

  test('a new key is known when that time is over', async () => {
    const { page, post, later } = await open('cloud-run');
    await post(TICK, from(SCHEDULER));
    page.shown = [google, nextKey];

    later(3_601_000);
    const answer = await post(TICK, bearer(token(nextKey, claims())));

    expect(answer.status).toBe(200);
  });

  test('when they were good and cannot be renewed, nobody is let in', async () => {
    const { page, post, later } = await open('cloud-run');
    await post(TICK, from(SCHEDULER));
    page.status = 500;

    later(3_601_000);

    expect((await post(TICK, from(SCHEDULER))).status).toBe(503);
  });

  test('fifty tokens at once ask for them once, and later ones not at all', async () => {
    const { page, post } = await open('cloud-run');
    const senders = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? SCHEDULER : STRANGER));

    const answers = await Promise.all(senders.map((email) => post(TICK, from(email))));
    await post(TICK, from(SCHEDULER));

    expect(answers.map(({ status }) => status)).toEqual(
      senders.map((email) => (email === SCHEDULER ? 200 : 401)),
    );
    expect(page.asked).toBe(1);
  });

  test('fifty tokens at once during an outage are one question and one more try', async () => {
    const { page, post } = await open('cloud-run');
    page.status = 500;
    const all = Array.from({ length: 50 }, () => post(TICK, from(SCHEDULER)));

    const answers = await Promise.all(all);

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(page.asked).toBeLessThanOrEqual(6);
  });
});

test('what checks tokens is not loaded before the first one comes', () => {
  const app = join(import.meta.dirname, '../../server/app.ts');
  const loaded = (more: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', `${more};${LOADED}`], {
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../..'),
    });

  expect(loaded(`await import(${JSON.stringify(app)})`)).toBe('false');
  expect(loaded("await import('google-auth-library')")).toBe('true');
});

const LOADED = `
  const { createRequire } = await import('node:module');
  const { cache } = createRequire(process.cwd() + '/x.js');
  process.stdout.write(String(Object.keys(cache).some((path) => path.includes('google-auth-library'))))`;
