import { describe, expect, test } from 'vitest';
import { revokeToken } from '../../../server/http/identity/token-list.ts';
import { SESSION_MS } from '../../../server/http/identity/cookies.ts';
import { FROM_PAGE, type Answer, type Ask } from '../client.ts';
import { form, valueOf, words } from '../forms.ts';
import { SERVICE, type Headers } from '../triggering.ts';
import { cookie, fromForm, openTo, tokenIn } from './callers.ts';

/** Signing in with a token, and what a session is good for. */

const TOKENS = { PUNCTUAL_AUTH: 'tokens' };
const HTML = { Accept: 'text/html' };

const opened = (env: Record<string, string> = {}) => openTo('machine', { ...TOKENS, ...env });

const cookiesOf = ({ headers }: Answer): readonly string[] => headers.getSetCookie();

/** A browser's way in: the page, then its form, with the cookie that came with the page. */
async function signIn(ask: Ask, token: string, more: Record<string, string> = {}) {
  const page = await ask('GET', '/login', { headers: HTML });
  const [first = ''] = cookiesOf(page);
  const Cookie = first.split(';')[0] ?? '';
  const csrf = /name=csrf value=([\w-]+)/.exec(page.text)?.[1] ?? '';
  return await ask('POST', '/login', form({ csrf, token, ...more }, { Cookie, ...HTML }));
}

describe('whoever has not signed in', () => {
  test('gets the page to do so in place of any other, and then goes on to where they were', async () => {
    const { ask, service } = await opened();
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });

    const page = await ask('GET', '/runs?q=state%3Afailed', { headers: HTML });
    const next = valueOf(page, 'next') ?? '';
    const into = await signIn(ask, text, { next });

    expect([page.status, words(page).includes('Sign in')]).toEqual([401, true]);
    expect([into.status, into.headers.get('Location')]).toEqual([303, '/runs?q=state%3Afailed']);
  });

  test('is sent there from a page that asks again, too', async () => {
    const { ask } = await opened();
    const page = {
      'HX-Request': 'true',
      'HX-Current-URL': 'http://127.0.0.1/jobs/job?state=failed',
    };

    const { status, headers } = await ask('GET', '/jobs/job', { headers: page });

    expect(status).toBe(401);
    expect(headers.get('HX-Redirect')).toBe('/login?next=%2Fjobs%2Fjob%3Fstate%3Dfailed');
  });

  test('gets problem details as a program, and learns of no path', async () => {
    const { ask } = await opened();

    const answers = [await ask('GET', '/api/v1/jobs'), await ask('GET', '/no/such/path')];

    expect(answers.map(({ status, body }) => [status, body?.['title']])).toEqual([
      [401, 'Unauthorized'],
      [401, 'Unauthorized'],
    ]);
  });

  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/login', 'x', '/a\nb'])(
    'is led nowhere else by %j',
    async (next) => {
      const { ask, service } = await opened();
      const { text } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });

      const into = await signIn(ask, text, { next });

      expect([into.status, into.headers.get('Location')]).toEqual([303, '/']);
    },
  );
});

describe('a session', () => {
  test('is a cookie that no script reads, and that no other site sends along', async () => {
    const { ask, service } = await opened();
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });

    const [plain = ''] = cookiesOf(await signIn(ask, text)).filter((one) =>
      one.includes('session'),
    );

    expect(plain.split('; ').slice(1).toSorted()).toEqual([
      expect.stringMatching(/^Expires=/),
      'HttpOnly',
      `Max-Age=${SESSION_MS / 1000}`,
      'Path=/',
      'SameSite=Lax',
    ]);
  });

  test('where there is HTTPS, it is sent by that alone, to this host alone', async () => {
    const { ask, service } = await opened({ PUNCTUAL_SERVICE_URL: SERVICE });
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });

    const set = cookiesOf(await signIn(ask, text)).join('\n');

    expect(set).toMatch(/^__Host-punctual-session=[^;]+;.*Path=\/;.*HttpOnly; Secure/);
    expect(set).not.toContain('Domain');
  });

  test('shows who one is, and is over after signing out', async () => {
    const { ask, service, url } = await opened();
    const { session } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const headers = { ...cookie(session, false), ...fromForm(session), Origin: url };

    const page = await ask('GET', '/', { headers });
    const out = await ask('POST', '/logout', { headers, redirect: 'manual' });

    expect(words(page)).toContain('ada Sign out');
    expect([out.status, out.headers.get('Location')]).toEqual([303, '/login']);
    expect(cookiesOf(out).join('\n')).toMatch(/punctual-session=; .*Expires=Thu, 01 Jan 1970/);
  });

  test('is over after a week', async () => {
    const { ask, service } = await opened();
    const { session } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const headers = cookie(session, false);
    const look = async () => (await ask('GET', '/', { headers })).status;

    const before = await look();
    await service.clock.advance(SESSION_MS - 1000);
    const nearly = await look();
    await service.clock.advance(1000);

    expect([before, nearly, await look()]).toEqual([200, 200, 401]);
  });

  test('ends within seconds with the token that it was signed in by, as the token does', async () => {
    const { ask, service } = await opened();
    const { session, bearer } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const look = async () => [
      (await ask('GET', '/', { headers: cookie(session, false) })).status,
      (await ask('GET', '/', { headers: { ...bearer } })).status,
    ];

    const before = await look();
    await revokeToken(service.store, 'default', 'ada');
    await service.clock.advance(5000);

    expect([before, await look()]).toEqual([
      [200, 200],
      [401, 401],
    ]);
  });

  test('that anything was changed in is none', async () => {
    const { ask, service } = await opened();
    const { session } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const other = await tokenIn(service.store, { name: 'boss', role: 'operator' });
    const [id = '', until = '', nonce = '', proof = ''] = session.split('.');
    const [otherId = ''] = other.session.split('.');
    const forged = [
      [otherId, until, nonce, proof],
      [id, String(Number(until) + 1), nonce, proof],
      [id, until, `${nonce.slice(0, -1)}${nonce.endsWith('A') ? 'Q' : 'A'}`, proof],
      [id, until, nonce, `A${proof.slice(1)}`],
      [id, until, nonce],
    ];

    const statuses = [];
    for (const parts of forged) {
      const headers = cookie(parts.join('.'), false);
      statuses.push((await ask('GET', '/', { headers })).status);
    }

    expect(statuses).toEqual([401, 401, 401, 401, 401]);
  });

  test('given twice, one of them by another host of the domain, is none', async () => {
    const { ask, service } = await opened();
    const { session } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const one = `punctual-session=${session}`;

    const { status } = await ask('GET', '/', { headers: { Cookie: `${one}; ${one}` } });

    expect(status).toBe(401);
  });
});

describe('signing in', () => {
  test('takes a token that is there', async () => {
    const { ask, service } = await opened();
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const tries = [text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A'), 'pun_x', '', `${text}x`];

    const statuses = [];
    for (const one of tries) statuses.push((await signIn(ask, one)).status);
    const page = await signIn(ask, 'x');

    expect(statuses).toEqual([401, 401, 401, 401]);
    expect(words(page)).toContain('That is no token of this service, or it was revoked.');
    expect(cookiesOf(page).join()).not.toContain('session');
  });

  test('is slow for who guesses, and not for others', async () => {
    const { ask, service } = await openTo('app-engine', {
      ...TOKENS,
      PUNCTUAL_SERVICE_URL: SERVICE,
    });
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const from = (address: string, token: string) =>
      ask('POST', '/login', form({ token }, { 'X-Appengine-User-Ip': address, ...secured }));

    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await from('203.0.113.7', 'guess')).status);
    const late = await from('203.0.113.7', text);
    const other = await from('203.0.113.8', text);
    await service.clock.advance(12_000);
    const later = await from('203.0.113.7', text);

    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect([late.status, late.headers.get('Retry-After')]).toEqual([429, '12']);
    expect([other.status, later.status]).toEqual([303, 303]);
  });

  test('is bounded for all addresses together', async () => {
    const { ask } = await openTo('app-engine', { ...TOKENS, PUNCTUAL_SERVICE_URL: SERVICE });
    const statuses = new Map<number, number>();

    for (let i = 0; i < 60; i++) {
      const headers = { 'X-Appengine-User-Ip': `203.0.113.${i}`, ...secured };
      const { status } = await ask('POST', '/login', form({ token: 'guess' }, headers));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }

    expect([...statuses]).toEqual([
      [401, 50],
      [429, 10],
    ]);
  });

  test.each<[string, Headers]>([
    ['from another site', { Origin: 'https://evil.example' }],
    ['from another site, says the browser', { 'Sec-Fetch-Site': 'cross-site' }],
    ['without what its page gave', { Cookie: '', 'X-CSRF-Token': '' }],
    ['with a cookie and no field', { Cookie: 'punctual-form=a', 'X-CSRF-Token': '' }],
  ])('%s is refused', async (_how, headers) => {
    const { ask, service } = await opened();
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });

    const answer = await ask('POST', '/login', form({ token: text }, { ...headers }));

    expect([answer.status, cookiesOf(answer).join().includes('session=')]).toEqual([403, false]);
  });

  test('is not for a token that is limited to some jobs', async () => {
    const { ask, service } = await opened();
    const made = await tokenIn(service.store, { name: 'ci', role: 'operator', jobs: ['job'] });

    const answer = await signIn(ask, made.text);

    expect(answer.status).toBe(403);
    expect(words(answer)).toContain('This token is limited to some jobs, so it is for programs');
  });

  test('leaves no trace of the token in the log, the answer or the store', async () => {
    const { ask, service } = await opened();
    const { text, session } = await tokenIn(service.store, { name: 'ada', role: 'viewer' });
    const secret = text.split('_').slice(2).join('_');

    const answers = [await signIn(ask, text), await signIn(ask, `${text}x`)];
    await ask('GET', '/api/v1/jobs', { headers: { Authorization: `Bearer ${text}x` } });

    const meta = await service.store.readMeta('tokens:default');
    const kept = JSON.stringify(meta?.value);
    const said = [...service.logged, ...answers.map((one) => one.text), kept].join('\n');
    expect([said.includes(secret), said.includes(session)]).toEqual([false, false]);
  });
});

describe('a page', () => {
  test('offers a viewer nothing that they may not do', async () => {
    const { ask, service } = await opened();
    await service.wake('00:01');
    const { id } = await service.lastRun();
    const viewer = await tokenIn(service.store, { name: 'bob', role: 'viewer' });
    const operator = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const forms = async (session: string, path: string) => {
      const { text } = await ask('GET', path, { headers: cookie(session, false) });
      return (text.match(/method="post"/g) ?? []).length;
    };

    const pages = ['/', '/jobs/job', `/runs/${encodeURIComponent(id)}`, '/jobs/job/backfill'];
    const counts = [];
    for (const path of pages) {
      counts.push([path, await forms(viewer.session, path), await forms(operator.session, path)]);
    }

    // Only the one to sign out.
    expect(counts.map(([, seen]) => seen)).toEqual([1, 1, 1, 1]);
    expect(counts.filter(([path, , all]) => path !== pages[3] && Number(all) < 2)).toEqual([]);
  });

  test('records who clicked', async () => {
    const { ask, service, url } = await opened();
    const { session } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const headers = { ...cookie(session, false), ...fromForm(session), Origin: url };

    await ask('POST', '/jobs/other/runs', form({}, headers));
    await ask('POST', '/jobs/other/pause', form({ lasts: '' }, headers));

    await service.settle();
    const runs = await service.runs('other');
    const { actions } = await service.store.listActions({ limit: 10 });
    expect(runs.map(({ requestedBy }) => requestedBy)).toEqual(['ada']);
    expect(actions.map(({ action, by }) => [action, by])).toContainEqual(['pause', 'ada']);
  });

  test('is never framed, nor kept', async () => {
    const { ask } = await opened();

    const { headers } = await ask('GET', '/login');

    expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('Cache-Control')).toBe('no-store');
  });
});

/** With HTTPS the cookie has another name. */
const secured = {
  Cookie: `__Host-${FROM_PAGE.Cookie}`,
  Origin: SERVICE,
};
