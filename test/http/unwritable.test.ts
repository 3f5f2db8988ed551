import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../server/core/store.ts';
import { job, type TestService } from '../service.ts';
import { HTMX, serve } from './client.ts';

/** What people and programs are told while the store can't be written. */

const NO_ROOM = new StoreUnavailable('the database /secret/place.db can not grow', {
  why: 'its disk is full',
});

/** Makes each write fail; gives what makes them succeed again. */
function breakWrites(service: TestService): () => void {
  const { store } = service;
  const commit = store.commit.bind(store);
  const writeMeta = store.writeMeta.bind(store);
  store.commit = () => Promise.reject(NO_ROOM);
  store.writeMeta = () => Promise.reject(NO_ROOM);
  return () => Object.assign(store, { commit, writeMeta });
}

/** Asks for something that is tried for seconds. */
async function patiently<Answer>(service: TestService, asking: Promise<Answer>): Promise<Answer> {
  let over = false;
  void asking.finally(() => (over = true)).catch(() => undefined);
  while (!over) {
    await service.clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await asking;
}

test('a program is told why, as far as it is its business, and with which key to come again', async () => {
  const { service, ask } = await serve([job({})]);
  const mend = breakWrites(service);
  const sent = { method: 'POST', headers: { 'Idempotency-Key': 'k' } };

  const run = await patiently(service, ask('POST', '/api/v1/jobs/job/runs', sent));
  const pause = await patiently(service, ask('PUT', '/api/v1/jobs/job/pause'));
  await service.clock.advance(60_000);
  const tick = await patiently(service, ask('POST', '/triggers/jobs/job'));
  const system = await ask('GET', '/api/v1/system');
  mend();
  const again = await ask('POST', '/api/v1/jobs/job/runs', sent);

  expect(run.body).toMatchObject({
    status: 503,
    detail: "the store can't be used: its disk is full; try again with the same Idempotency-Key",
  });
  expect(run.headers.get('Retry-After')).toBe('5');
  for (const { status, text } of [pause, tick]) {
    expect([status, text]).toEqual([503, expect.stringMatching(/its disk is full; try again"/)]);
    expect(text).not.toContain('/secret');
  }
  expect(system.body?.['store'].trouble).toBe(NO_ROOM.message);
  expect(again.status).toBe(202);
});

test('each page says so above all else, until the store can be written', async () => {
  const { service, ask } = await serve([job({})]);
  const well = await ask('GET', '/');
  const mend = breakWrites(service);
  const clicked = await patiently(
    service,
    ask('POST', '/jobs/job/pause', { headers: { ...HTMX, 'Content-Type': FORM }, body: '' }),
  );
  const paths = ['/', '/jobs/job', '/runs', '/timeline', '/actions', '/schedule'];

  const pages = await Promise.all(paths.map((path) => ask('GET', path)));
  const system = await ask('GET', '/system');
  const health = await ask('GET', '/healthz');
  const metrics = await ask('GET', '/metrics');
  mend();
  await service.deps.wakes.heard(service.deps, { at: 0, started: 0, lagMs: 0 });
  const after = await ask('GET', '/');

  expect(clicked.text).toMatch(/the store can(?:'|&#39;)t be used: its disk is full\. Look at/i);
  expect(pages.map(({ text }) => told(text))).toEqual(paths.map(() => true));
  expect(told(system.text)).toBe(false);
  expect(system.text).toContain(`The store can’t be written: ${NO_ROOM.message}`);
  expect([health.status, health.body]).toEqual([503, { status: 'failing' }]);
  expect(metrics.text).toMatch(/^punctual_failing 1$/m);
  expect([told(well.text), told(after.text)]).toEqual([false, false]);
  expect(pages.some(({ text }) => text.includes('/secret'))).toBe(false);
});

const FORM = 'application/x-www-form-urlencoded';

const told = (text: string): boolean =>
  /<main id="page"[^>]*><p class="banner bad" role="status">The store can’t be written/.test(text);
