import { request } from 'node:http';
import { expect, vi } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { job } from '../service.ts';
import { serve } from './client.ts';
import { certificatePage, signingKey, token, type Claims } from './google.ts';

/** The service with its accounts configured, and those who send it triggers. */

export const SERVICE = 'https://punctual.example.com';
export const SCHEDULER = 'scheduler@shop.iam.gserviceaccount.com';
export const TASKS = 'tasks@shop.iam.gserviceaccount.com';
export const STRANGER = 'stranger@elsewhere.iam.gserviceaccount.com';
export const TICK = '/triggers/tick';
const JOB = '/triggers/jobs/job';
const RUN = '/triggers/runs/job@20260301T000000Z';

export const google = signingKey('google-1');
export const impostor = signingKey('google-1');
export const nextKey = signingKey('google-9');

export type Place = 'app-engine' | 'cloud-run' | 'machine';
export type Headers = Readonly<Record<string, string>>;

const PLACES: Readonly<Record<Place, Record<string, string>>> = {
  'app-engine': { GAE_ENV: 'standard' },
  'cloud-run': { K_SERVICE: 'punctual' },
  machine: {},
};
export const ACCOUNTS = {
  PUNCTUAL_LOCATION: 'europe-west1',
  PUNCTUAL_SERVICE_URL: SERVICE,
  PUNCTUAL_SCHEDULER_ACCOUNT: SCHEDULER,
  PUNCTUAL_TASKS_ACCOUNT: TASKS,
  PUNCTUAL_TASKS_QUEUE: 'runs',
};
export const THROUGH_PROXY = { 'X-Forwarded-For': '203.0.113.7' };

export async function open(
  place: Place,
  env: Record<string, string> = ACCOUNTS,
  certsUrl?: string,
) {
  const page = await certificatePage(google);
  const config = readConfig({ ...PLACES[place], ...env }, '/', 0);
  const app = { google: config.google, certsUrl: certsUrl ?? page.url };
  const { service, ask, url } = await serve([job({})], { app });
  const post = (path: string, headers: Headers = {}) => ask('POST', path, { headers });
  return {
    page,
    service,
    ask,
    post,
    url,
    /** The answers to a tick, to a job's trigger, and to a run's. */
    statuses: async (headers: Headers) => {
      const answers = [];
      for (const path of [TICK, JOB, RUN]) answers.push((await post(path, headers)).status);
      return answers;
    },
    reasons: () =>
      service.logged
        .filter((line) => line.startsWith('warn trigger_refused '))
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))).reason),
    later: (ms: number) => {
      vi.setSystemTime(Date.now() + ms);
      service.clock.setWall(Date.now());
    },
  };
}

export const seconds = (): number => Date.now() / 1000;

export const claims = (more: Claims = {}): Claims => ({
  iss: 'https://accounts.google.com',
  aud: SERVICE,
  sub: '1234567890',
  azp: '1234567890',
  email: SCHEDULER,
  email_verified: true,
  iat: seconds() - 5,
  exp: seconds() + 3600,
  ...more,
});

export const bearer = (sent: string): Headers => ({ Authorization: `Bearer ${sent}` });
export const from = (email: string): Headers => bearer(token(google, claims({ email })));

/** Neither the token or a part of it, nor anything that it says. */
export function expectNothingOf(sent: string, texts: readonly string[]): void {
  const parts = sent.split(/[ .,]+/).filter((one) => one.length > 5 && one !== 'Bearer');
  const said = [SCHEDULER, TASKS, STRANGER, '1234567890', 'accounts.google.com'];
  for (const text of texts) {
    expect([...parts, ...said].filter((secret) => text.includes(secret))).toEqual([]);
  }
}

/** `fetch` changes paths, and does not send a header twice or a Host; plain HTTP does. */
export async function rawPost(
  url: string,
  path: string,
  headers: Readonly<Record<string, string | string[]>>,
) {
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asking = request(url, { method: 'POST', path, headers: { ...headers } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text });
        asking.destroy();
      });
    });
    asking.on('error', reject);
    if (headers['Content-Length'] === undefined) asking.end();
    else asking.flushHeaders();
  });
}
