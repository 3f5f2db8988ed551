import { readConfig } from '../../../server/config.ts';
import type { Role } from '../../../server/http/caller.ts';
import { formTokenOf } from '../../../server/http/identity/cookies.ts';
import { makeSession } from '../../../server/http/identity/session.ts';
import { makeToken, openKey } from '../../../server/http/identity/token-key.ts';
import { addToken } from '../../../server/http/identity/token-list.ts';
import type { Store } from '../../../server/core/store.ts';
import { job } from '../../service.ts';
import { serve } from '../client.ts';
import {
  assertion,
  certificatePage,
  proxyKey,
  proxyKeyPage,
  signingKey,
  token,
  type Claims,
} from '../google.ts';
import { ACCOUNTS, claims, google, SERVICE, type Headers, type Place } from '../triggering.ts';

/** The service with every way to be known switched on, and everybody who may come by. */

export const AUDIENCE = '/projects/123456789/apps/shop';
export const proxy = proxyKey('iap-1');
export const otherProxy = proxyKey('iap-1');
export const stranger = signingKey('google-2');

const PLACES: Readonly<Record<Place, Record<string, string>>> = {
  'app-engine': { GAE_ENV: 'standard' },
  'cloud-run': { K_SERVICE: 'punctual' },
  machine: {},
};

export const EVERY_WAY = {
  ...ACCOUNTS,
  PUNCTUAL_AUTH: 'tokens,iap,google',
  PUNCTUAL_IAP_AUDIENCE: AUDIENCE,
  PUNCTUAL_OPERATORS: 'ada@example.com,@ops.example.com,deployer@shop.iam.gserviceaccount.com',
  PUNCTUAL_VIEWERS: 'bob@example.com,@example.org',
};

export async function openTo(place: Place, env: Record<string, string> = EVERY_WAY) {
  const [certificates, keys] = [await certificatePage(google), await proxyKeyPage(proxy)];
  const config = readConfig({ ...PLACES[place], ...env }, '/', 0);
  const app = {
    google: config.google,
    access: config.access,
    certsUrl: certificates.url,
    iapKeysUrl: keys.url,
  };
  const served = await serve([job({}), job({ name: 'other' })], { app });
  return { ...served, certificates, keys, config };
}

export interface MadeToken {
  readonly text: string;
  readonly bearer: Headers;
  /** As a browser has it after signing in. */
  readonly session: string;
}

/** A token in the store, and a session that was signed in by it. */
export async function tokenIn(
  store: Store,
  { name, role, jobs = null }: { name: string; role: Role; jobs?: readonly string[] | null },
): Promise<MadeToken> {
  const { text, key } = await makeToken();
  const problem = await addToken(store, 'default', { ...key, name, role, jobs, by: 'a test' });
  const privateKey = await openKey(text, key);
  if (problem !== undefined || privateKey === undefined) throw new Error(problem ?? 'no key');
  const { storeNow } = await store.time();
  const session = makeSession(key, privateKey, storeNow);
  return { text, bearer: { Authorization: `Bearer ${text}` }, session };
}

/** What a browser sends by itself, and what a form of ours adds to it. */
export const cookie = (session: string, secure = true): Headers => ({
  Cookie: `${secure ? '__Host-' : ''}punctual-session=${session}`,
});
export const fromForm = (session: string): Headers => ({
  Origin: SERVICE,
  'Sec-Fetch-Site': 'same-origin',
  'X-CSRF-Token': formTokenOf(session),
});

export const asserted = (email: string, more: Claims = {}, key = proxy): Headers => ({
  'X-Goog-IAP-JWT-Assertion': assertion(key, {
    ...claims({ iss: 'https://cloud.google.com/iap', aud: AUDIENCE, email, ...more }),
    email_verified: undefined,
  }),
});

/** As Google signs it for an account that is no service's. */
export const googleToken = (email: string, more: Claims = {}): Headers => ({
  Authorization: `Bearer ${token(google, claims({ email, ...more }))}`,
});
