import { describe, expect, test } from 'vitest';
import { RULES } from '../../../server/http/rules.ts';
import { job } from '../../service.ts';
import { FROM_PAGE, serve } from '../client.ts';
import { form } from '../forms.ts';
import type { Headers } from '../triggering.ts';
import { cookie, fromForm, openTo, tokenIn } from './callers.ts';

/** A page of another site that somebody has open can change nothing here. */

const CHANGES = RULES.filter(
  ({ method, surface }) => method !== 'GET' && (surface === 'pages' || surface === 'api'),
);
const PAGES = CHANGES.filter(({ surface }) => surface === 'pages');
const at = (path: string): string => path.replace(':name', 'job').replace(/:\w+/g, 'job!none');

describe('on this machine, where nobody signs in', () => {
  test.each<[string, Headers]>([
    ['another origin', { Origin: 'https://evil.example' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['an origin that is kept secret', { Origin: 'null' }],
    ['another site, says the browser', { 'Sec-Fetch-Site': 'cross-site' }],
    ['another host of the site, says the browser', { 'Sec-Fetch-Site': 'same-site' }],
  ])('every change from %s is refused, of pages and of the API', async (_where, headers) => {
    const { ask, service } = await serve([job({})]);
    const all = new Set<number>();

    for (const { method, path } of CHANGES) {
      all.add((await ask(method, at(path), { headers: { ...FROM_PAGE, ...headers } })).status);
    }

    expect([...all]).toEqual([403]);
    expect(await service.runs()).toEqual([]);
  });

  test.each<[string, (csrf: string) => RequestInit]>([
    ['a form without its token', () => form({}, { Cookie: FROM_PAGE.Cookie, 'X-CSRF-Token': '' })],
    ['a form with another token', () => form({ csrf: 'AAAAAAAAAAAAAAAA' }, { ...FROM_PAGE })],
    ['a form without the cookie', (csrf) => form({ csrf }, { Cookie: '', 'X-CSRF-Token': '' })],
    ['no form at all', () => ({ headers: { Cookie: '', 'X-CSRF-Token': '' } })],
  ])('%s changes nothing', async (_what, init) => {
    const { ask, service } = await serve([job({})]);
    const all = new Set<number>();

    for (const { method, path } of PAGES) {
      all.add((await ask(method, at(path), init(FROM_PAGE['X-CSRF-Token']))).status);
    }

    expect([...all]).toEqual([403]);
    expect(await service.runs()).toEqual([]);
  });

  test.each(['text/plain', 'multipart/form-data; boundary=x', 'application/json'])(
    'a form sent as %s is none',
    async (type) => {
      const { ask } = await serve([job({})]);
      const headers = { 'Content-Type': type, ...FROM_PAGE };

      const { status } = await ask('POST', '/jobs/job/runs', { body: 'csrf=x', headers });

      expect(status).toBe(415);
    },
  );

  test.each(['application/x-www-form-urlencoded', 'text/plain'])(
    'the API takes no %s, which any page may send anywhere',
    async (type) => {
      const { ask, service } = await serve([job({})]);
      const init = { body: '{}', headers: { 'Content-Type': type } };

      const { status } = await ask('POST', '/api/v1/jobs/job/runs', init);

      expect([status, await service.runs()]).toEqual([415, []]);
    },
  );
});

test('to look changes nothing: every change has a method that says so', async () => {
  const { ask, service } = await serve([job({})]);
  const before = await service.store.read('job');
  const isRead = (path: string): boolean =>
    RULES.some((rule) => rule.method === 'GET' && rule.path === path);
  const only = CHANGES.filter(({ path }) => !isRead(path));
  const statuses = new Set<number>();

  for (const { path } of only) statuses.add((await ask('GET', at(path))).status);
  for (const { path } of CHANGES) await ask('GET', at(path));

  const after = await service.store.read('job');
  expect([await service.runs(), after.version]).toEqual([[], before.version]);
  expect([...statuses]).toEqual([405]);
});

test('a page gives a browser a cookie for its forms once, and each form its hash', async () => {
  const { ask } = await serve([job({})]);

  const first = await ask('GET', '/', { headers: { Cookie: '' } });
  const [set = ''] = first.headers.getSetCookie();
  const Cookie = set.split(';')[0] ?? '';
  const second = await ask('GET', '/', { headers: { Cookie } });
  const tokens = (text: string) => new Set(text.match(/name=csrf value=[\w-]{16}>/g));

  expect(set).toMatch(/^punctual-form=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(second.headers.getSetCookie()).toEqual([]);
  expect(tokens(first.text).size).toBe(1);
  expect(tokens(second.text)).toEqual(tokens(first.text));
});

test('a token of another session, or of no session, opens no form of this one', async () => {
  const { ask, service, url } = await openTo('machine', { PUNCTUAL_AUTH: 'tokens' });
  const ada = await tokenIn(service.store, { name: 'ada', role: 'operator' });
  const eve = await tokenIn(service.store, { name: 'eve', role: 'operator' });
  const base = { ...cookie(ada.session, false), Origin: url };
  const other = { ...base, 'X-CSRF-Token': fromForm(eve.session)['X-CSRF-Token'] ?? '' };
  const none = {
    ...base,
    Cookie: `punctual-session=${ada.session}; ${FROM_PAGE.Cookie}`,
    'X-CSRF-Token': FROM_PAGE['X-CSRF-Token'],
  };

  const statuses = [];
  for (const headers of [other, none]) {
    for (const path of ['/jobs/job/runs', '/api/v1/jobs/job/runs']) {
      statuses.push((await ask('POST', path, { headers })).status);
    }
  }

  expect(statuses).toEqual([403, 403, 403, 403]);
});
