import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../server/http/api/endpoints.ts';
import type { JobContext } from '../../../server/core/job.ts';
import { byHand, job } from '../../service.ts';
import { json, type Answer } from '../client.ts';
import { serveToTokens } from './tokens.ts';

/*
 * A token may be limited to some jobs. The others are not there for it: whatever it asks about them
 * is answered as for a job that does not exist.
 */

const slow = (name: string) =>
  byHand({
    name,
    run: ({ signal }: JobContext) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });

const BODIES: Readonly<Record<string, unknown>> = {
  startBackfill: { from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' },
};

describe('a caller who is limited to one job', () => {
  test('gets of another what there is for one that does not exist, on every address', async () => {
    const { service, ask: _, as } = await serveToTokens([slow('own'), slow('other')]);
    const boss = await as('boss', 'operator', null);
    const ask = await as('ci', 'operator', ['own']);
    const { body } = await boss('POST', '/api/v1/jobs/other/runs');
    const before = JSON.stringify((await service.store.read('other')).record);
    const hidden = String(body?.['id']);
    const nobodys = hidden.replace('other!', 'nobody!');
    const about = ENDPOINTS.filter(({ scope }) => scope === 'job' || scope === 'run');

    const answers = await Promise.all(
      about.map(async ({ id, method, path }) => {
        const ofJob = (name: string, run: string): string =>
          `/api/v1${path.replace('{name}', name).replace('{id}', encodeURIComponent(run))}`;
        const request = method === 'GET' ? {} : json(BODIES[id] ?? {});
        const backfill = path.includes('backfills');
        const asked = await ask(method, ofJob('other', backfill ? 'b1' : hidden), request);
        const none = await ask(method, ofJob('nobody', backfill ? 'b1' : nobodys), request);
        return { id, asked, none };
      }),
    );

    const told = ({ status, text, headers }: Answer): unknown => [
      status,
      text.replaceAll('nobody', 'other'),
      headers.get('content-type'),
    ];
    expect(about.length).toBeGreaterThan(14);
    for (const { id, asked, none } of answers) {
      expect([id, asked.status]).toEqual([id, 404]);
      expect(told(asked)).toEqual(told(none));
    }
    expect(JSON.stringify((await service.store.read('other')).record)).toBe(before);
  });

  test('can do with its own whatever its role lets it', async () => {
    const { as } = await serveToTokens([slow('own'), slow('other')]);
    const ask = await as('ci', 'operator', ['own']);

    const started = await ask('POST', '/api/v1/jobs/own/runs');
    const id = encodeURIComponent(String(started.body?.['id']));
    const others = [
      await ask('GET', '/api/v1/jobs/own'),
      await ask('GET', `/api/v1/runs/${id}`),
      await ask('GET', `/api/v1/runs/${id}/log`),
      await ask('PUT', '/api/v1/jobs/own/pause'),
      await ask('POST', `/api/v1/runs/${id}/cancel`),
    ];

    expect(started.status).toBe(202);
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 202]);
  });

  test('is shown in lists what is of its own alone', async () => {
    const { service, as } = await serveToTokens([job({ name: 'own' }), job({ name: 'other' })]);
    const ask = await as('ci', 'viewer', ['own', 'gone']);
    const one = await as('one', 'viewer', ['own']);
    await service.wake('00:01:00');

    const jobs = await ask('GET', '/api/v1/jobs');
    const next = await ask('GET', '/api/v1/upcoming?limit=500');
    const runs = await one('GET', '/api/v1/runs');
    const actions = await one('GET', '/api/v1/actions');

    const names = (list: { job?: string; name?: string }[] | undefined): unknown[] => [
      ...new Set(list?.map(({ job: of, name }) => of ?? name)),
    ];
    expect(names(jobs.body?.['jobs'])).toEqual(['own']);
    expect(names(next.body?.['upcoming'])).toEqual(['own']);
    expect(names(runs.body?.['runs'])).toEqual(['own']);
    expect(actions.body?.['actions'].every(({ job: of }: { job: string }) => of === 'own')).toBe(
      true,
    );
  });

  test('to several says which of them it means, and is told which there are', async () => {
    const { service, as } = await serveToTokens([job({ name: 'own' }), job({ name: 'other' })]);
    const ask = await as('ci', 'viewer', ['own', 'more']);
    await service.wake('00:01:00');

    const runs = await ask('GET', '/api/v1/runs');
    const actions = await ask('GET', '/api/v1/actions');
    const own = await ask('GET', '/api/v1/runs?job=own');
    const other = await ask('GET', '/api/v1/runs?job=other');
    const nobody = await ask('GET', '/api/v1/runs?job=nobody');

    for (const { status, body } of [runs, actions]) {
      expect(status).toBe(403);
      expect(body?.['detail']).toBe('say with ?job= which job you mean; you may see own, more');
    }
    expect([own.status, own.body?.['runs'].length]).toEqual([200, 1]);
    expect([other.status, other.text.replace('other', 'nobody')]).toEqual([404, nobody.text]);
  });

  test('is told nothing of the service itself', async () => {
    const { as } = await serveToTokens([job({ name: 'own' })]);
    const ask = await as('ci', 'operator', ['own']);

    const system = await ask('GET', '/api/v1/system');
    const document = await ask('GET', '/api/v1/openapi.json');

    expect([system.status, document.status]).toEqual([403, 200]);
  });
});

test('a viewer may look at everything and change nothing', async () => {
  const { as } = await serveToTokens([job({})]);
  const ask = await as('eye', 'viewer', null);

  const statuses = await Promise.all(
    ENDPOINTS.map(async ({ method, path }) => {
      const at = path.replace('{name}', 'job').replace('{id}', 'job@20260301T000000Z');
      return [method, (await ask(method, `/api/v1${at === '/' ? '' : at}`)).status] as const;
    }),
  );

  const changes = statuses.filter(([method]) => method !== 'GET');
  expect(changes.length).toBeGreaterThan(7);
  expect(changes.filter(([, status]) => status !== 403)).toEqual([]);
  expect(statuses.filter(([method, status]) => method === 'GET' && status === 403)).toEqual([]);
});
