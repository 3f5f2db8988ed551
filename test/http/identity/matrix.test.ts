import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../../../server/config.ts';
import { authorise } from '../../../server/http/identity/authorise.ts';
import { Cookies } from '../../../server/http/identity/cookies.ts';
import { Identity } from '../../../server/http/identity/identity.ts';
import { RULES, type Rule } from '../../../server/http/rules.ts';
import { TEST_START } from '../../test-clock.ts';
import { FROM_PAGE, serve } from '../client.ts';
import { signedPart, signingKey, token } from '../google.ts';
import {
  bearer,
  claims,
  google,
  SCHEDULER,
  seconds,
  SERVICE,
  STRANGER,
  TASKS,
  type Headers,
  type Place,
} from '../triggering.ts';
import {
  asserted,
  AUDIENCE,
  cookie,
  fromForm,
  googleToken,
  openTo,
  otherProxy,
  tokenIn,
} from './callers.ts';
import { routesOf } from './routes.ts';

/** The table of PROTOCOL.md 4.6: every route there is, by everybody who may come by. */

// The library reads the clock itself: it and the service are shown the same one.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: TEST_START }));
afterEach(() => void vi.useRealTimers());

/** A status, or `ok` for all that says neither 401 nor 403. */
type Verdict = 'ok' | 401 | 403;

interface Row {
  readonly look: Verdict;
  readonly change: Verdict;
  readonly wake: Verdict;
  readonly run: Verdict;
  /** What an operator alone may look at; as `change`, if not said. */
  readonly metrics?: Verdict;
}

const NOBODY: Row = { look: 401, change: 401, wake: 401, run: 401 };
const VIEWER: Row = { look: 'ok', change: 403, wake: 403, run: 403 };
const OPERATOR: Row = { look: 'ok', change: 'ok', wake: 403, run: 403 };
const NO_FORM: Row = { look: 'ok', change: 403, wake: 403, run: 403, metrics: 'ok' };
const OWNER: Row = { look: 'ok', change: 'ok', wake: 'ok', run: 'ok' };
const WAKES: Row = { look: 403, change: 403, wake: 'ok', run: 403 };
const RUNS: Row = { look: 403, change: 403, wake: 403, run: 'ok' };
const FORGED: Row = { look: 401, change: 401, wake: 403, run: 401 };
const HAS_NO_ROLE: Row = { look: 403, change: 403, wake: 403, run: 403 };

type Opened = Awaited<ReturnType<typeof openTo>>;
type Who = (of: Opened) => Headers | Promise<Headers>;

const cron = { 'X-Appengine-Cron': 'true' };
const viewer = ({ service }: Opened) => tokenIn(service.store, { name: 'bob', role: 'viewer' });
const operator = ({ service }: Opened) => tokenIn(service.store, { name: 'ada', role: 'operator' });
const unsigned = `${signedPart({ alg: 'none', kid: google.kid }, claims())}.`;
const byHmac = (): string => {
  const part = signedPart({ alg: 'HS256', kid: google.kid }, claims());
  return `${part}.${createHmac('sha256', google.publicPem).update(part).digest('base64url')}`;
};
const from = (email: string, more = {}) => googleToken(email, more);

const CALLERS: readonly (readonly [who: string, Place, Who, Row])[] = [
  ['anonymous', 'app-engine', () => ({}), NOBODY],
  ['anonymous', 'cloud-run', () => ({}), NOBODY],
  ['anonymous', 'machine', () => ({}), NOBODY],
  ['App Engine cron', 'app-engine', () => cron, { ...NOBODY, wake: 'ok', run: 403 }],
  ['App Engine cron, forged', 'cloud-run', () => cron, FORGED],
  ['App Engine cron, forged', 'machine', () => cron, FORGED],
  ['the scheduler', 'cloud-run', () => from(SCHEDULER), WAKES],
  ['the scheduler', 'app-engine', () => from(SCHEDULER), WAKES],
  ['Cloud Tasks', 'cloud-run', () => from(TASKS), RUNS],
  ['another audience', 'cloud-run', () => from(SCHEDULER, { aud: 'https://x.example' }), NOBODY],
  ['another account', 'cloud-run', () => from(STRANGER), NOBODY],
  ['unverified', 'cloud-run', () => from('ada@example.com', { email_verified: false }), NOBODY],
  ['expired', 'cloud-run', () => from(SCHEDULER, { exp: seconds() - 61 }), NOBODY],
  ['not yet valid', 'cloud-run', () => from(SCHEDULER, { nbf: seconds() + 61 }), NOBODY],
  ['alg none', 'cloud-run', () => bearer(unsigned), NOBODY],
  ['HS256 with the public key', 'cloud-run', () => bearer(byHmac()), NOBODY],
  ['another key', 'cloud-run', () => bearer(token(signingKey('google-7'), claims())), NOBODY],
  ['another issuer', 'cloud-run', () => from(SCHEDULER, { iss: 'https://x.example' }), NOBODY],
  ['a viewer, by IAP', 'cloud-run', () => asserted('bob@example.com'), VIEWER],
  ['a viewer of the domain, by IAP', 'cloud-run', () => asserted(EVE, ORG), VIEWER],
  ['an e-mail of the domain, by IAP', 'cloud-run', () => asserted(EVE), HAS_NO_ROLE],
  ['an e-mail of the domain, by Google', 'cloud-run', () => from(EVE), NOBODY],
  ['a viewer, by token', 'cloud-run', async (of) => (await viewer(of)).bearer, VIEWER],
  [
    'a viewer, signed in',
    'cloud-run',
    async (of) => {
      const { session } = await viewer(of);
      return { ...cookie(session), ...fromForm(session) };
    },
    { ...VIEWER, metrics: 403 },
  ],
  [
    'an operator, signed in, from a form',
    'app-engine',
    async (of) => {
      const { session } = await operator(of);
      return { ...cookie(session), ...fromForm(session) };
    },
    OPERATOR,
  ],
  [
    'an operator, signed in, without the form’s token',
    'app-engine',
    async (of) => {
      const { session } = await operator(of);
      return { ...cookie(session), Origin: SERVICE };
    },
    NO_FORM,
  ],
  [
    'an operator, signed in, from another site',
    'app-engine',
    async (of) => {
      const { session } = await operator(of);
      return { ...cookie(session), ...fromForm(session), Origin: 'https://evil.example' };
    },
    NO_FORM,
  ],
  [
    'an operator, signed in, from nowhere',
    'app-engine',
    async (of) => {
      const { session } = await operator(of);
      const { 'X-CSRF-Token': formToken = '' } = fromForm(session);
      return { ...cookie(session), 'X-CSRF-Token': formToken };
    },
    NO_FORM,
  ],
  ['an operator, by token', 'cloud-run', async (of) => (await operator(of)).bearer, OPERATOR],
  ['an operator, by Google', 'cloud-run', () => from('ada@example.com'), OPERATOR],
  ['a service that is an operator', 'cloud-run', () => from(DEPLOYER), OPERATOR],
  ['IAP, signed by another', 'cloud-run', () => asserted(ADA, {}, otherProxy), NOBODY],
  ['IAP, for another audience', 'cloud-run', () => asserted(ADA, { aud: `${AUDIENCE}2` }), NOBODY],
  ['IAP, expired', 'cloud-run', () => asserted(ADA, { exp: seconds() - 61 }), NOBODY],
  ['IAP, unsigned', 'app-engine', () => ({ 'X-Goog-IAP-JWT-Assertion': 'a.b.c' }), NOBODY],
  ['IAP, by the name alone', 'app-engine', () => NAMED, NOBODY],
  ['IAP, somebody without a role', 'cloud-run', () => asserted('eve@example.com'), HAS_NO_ROLE],
];

const ADA = 'ada@example.com';
// Whoever has the e-mail for a while may open an account under it that is none of the domain's.
const EVE = 'eve@example.org';
const ORG = { hd: 'example.org' };
const DEPLOYER = 'deployer@shop.iam.gserviceaccount.com';
const NAMED = { 'X-Goog-Authenticated-User-Email': `accounts.google.com:${ADA}` };

const LOCAL: typeof CALLERS = [
  ['this machine', 'machine', () => ({}), OWNER],
  ['this machine, with a forged cron header', 'machine', () => cron, FORGED],
];

function expected(rule: Rule, row: Row): Verdict {
  switch (rule.right) {
    case 'anyone':
      return 'ok';
    case 'start':
    case 'wake':
      return row.wake;
    case 'run':
      return row.run;
    case 'viewer':
      return row.look;
    case 'operator':
      return rule.method === 'GET' ? (row.metrics ?? row.change) : row.change;
  }
}

const sample = (path: string): string =>
  path
    .replace(':name', 'job')
    .replace('/triggers/runs/:id', '/triggers/runs/job@20260301T000000Z')
    .replace('/runs/:id', '/runs/job!none')
    .replace(/:\w+/g, 'none');

/** What each route that is not as the table says answered instead. */
async function wrongOnes({ url }: Opened, headers: Headers, row: Row): Promise<string[]> {
  const wrong: string[] = [];
  for (const rule of RULES) {
    // What App Engine sends first, and signing in and out, have tests of their own.
    if (rule.right === 'start' || /^\/log(?:in|out)$/.test(rule.path)) continue;
    const { status } = await fetch(url + sample(rule.path), {
      method: rule.method,
      headers: { ...headers },
      redirect: 'manual',
    });
    const verdict: Verdict = status === 401 || status === 403 ? status : 'ok';
    const want = expected(rule, row);
    if (verdict !== want) wrong.push(`${rule.method} ${rule.path}: ${status}, not ${want}`);
  }
  return wrong;
}

describe('every route, by', () => {
  test.each(CALLERS)('%s, on %s', async (_who, place, who, row) => {
    const opened = await openTo(place);

    expect(await wrongOnes(opened, await who(opened), row)).toEqual([]);
  });

  test.each(LOCAL)('%s, on %s, where nothing is configured', async (_who, place, who, row) => {
    const opened = await openTo(place, {});

    expect(await wrongOnes(opened, { ...FROM_PAGE, ...(await who(opened)) }, row)).toEqual([]);
  });
});

test('every route has a line in the table, and every line a route', async () => {
  const { app, ask } = await openTo('machine', { PUNCTUAL_AUTH: 'loopback,tokens' });

  const routes = await routesOf(app, ask);

  const lines = RULES.map(({ method, path }) => `${method} ${path}`);
  const assets = (one: string): string => one.replace(/^(GET \/assets\/).*/, '$1:file');
  expect([...new Set(routes.map(assets))].toSorted()).toEqual(lines.toSorted());
});

test('a route without a line in the table is nobody’s', async () => {
  const { service } = await serve([]);
  const cookies = new Cookies({ secure: false });
  const { google: where, access } = readConfig({}, '/', 0);
  const trust = { ...where, access };
  const pages = { certsUrl: null, iapKeysUrl: null };
  const identity = new Identity(service.deps, { trust, cookies, pages });
  const app = express().use(authorise(service.deps, { identity, cookies, trust }));
  app.get('/brand-new', (_req, res) => void res.send('secrets'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const answer = await fetch(`http://127.0.0.1:${port}/brand-new`);

  expect([answer.status, (await answer.text()).includes('secrets')]).toEqual([404, false]);
});
