import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../server/http/api/endpoints.ts';
import { byHand, job } from '../../service.ts';
import { json, serve } from '../client.ts';

/** Whatever stands where a name or an id belongs: refused in words, and nothing is done. */

const ODD = [
  '%2e%2e%2f',
  '..%2f..%2fetc%2fpasswd',
  'a%2fb',
  'a%00b',
  'UPPER',
  '__x__',
  '-a',
  'a%20b',
  'a%0d%0ab',
  'a'.repeat(2048),
  // Small letters of other scripts that look like ours.
  encodeURIComponent('j\u043eb'),
  encodeURIComponent('\uff4aob'),
  encodeURIComponent('jo\u200bb'),
  encodeURIComponent('<script>'),
];

const BODIES: Readonly<Record<string, unknown>> = {
  startBackfill: { from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' },
};

/** An address of the table, about the one job that there is. */
const addressOf = (path: string): string => {
  const id = path.includes('backfills') ? 'b1' : 'job@20260301T000000Z';
  return `/api/v1${path.replace('{name}', 'job').replace('{id}', id)}`;
};

describe('where the name of a job belongs', () => {
  test.each(ODD)('%s is refused on every address', async (odd) => {
    const { service, ask } = await serve([job({})]);
    const about = ENDPOINTS.filter(({ scope }) => scope === 'job');

    for (const { id, method, path } of about) {
      const at = `/api/v1${path.replace('{name}', odd).replace('{id}', 'b1')}`;
      const answer = await ask(method, at, method === 'GET' ? {} : json(BODIES[id] ?? {}));

      expect([id, answer.status]).toEqual([id, 400]);
      expect(answer.body?.['errors']).toEqual([
        { path: 'name', message: 'not a job name: lower-case letters, digits, hyphens' },
      ]);
    }
    expect(await service.runs()).toEqual([]);
  });

  test('of no job is 404 on every address', async () => {
    const { ask } = await serve([job({})]);
    const about = ENDPOINTS.filter(({ scope }) => scope === 'job');

    for (const { id, method, path } of about) {
      const at = `/api/v1${path.replace('{name}', 'nobody').replace('{id}', 'b1')}`;
      const answer = await ask(method, at, method === 'GET' ? {} : json(BODIES[id] ?? {}));

      expect([id, answer.status, answer.body?.['detail']]).toEqual([
        id,
        404,
        'there is no job "nobody"',
      ]);
    }
  });
});

describe('where the id of a run belongs', () => {
  const about = ENDPOINTS.filter(({ scope }) => scope === 'run');

  test.each([...ODD, 'job', 'job!', 'job@', 'JOB!abc', 'job!a%2fb', `job!${'a'.repeat(121)}`])(
    '%s is refused on every address',
    async (odd) => {
      const { ask } = await serve([job({})]);

      for (const { id, method, path } of about) {
        const answer = await ask(method, `/api/v1${path.replace('{id}', odd)}`);

        expect([id, answer.status]).toEqual([id, 400]);
        expect(answer.body?.['errors']).toEqual([{ path: 'id', message: 'not a run id' }]);
      }
    },
  );

  test('of no run, or of another job, is 404 on every address', async () => {
    const { service, ask } = await serve([byHand({}), byHand({ name: 'other' })]);
    const { body } = await ask('POST', '/api/v1/jobs/job/runs');
    await service.idle();
    const ofOther = String(body?.['id']).replace('job!', 'other!');

    for (const { id, method, path } of about) {
      for (const none of ['job@20260301T000000Z', ofOther]) {
        const at = `/api/v1${path.replace('{id}', encodeURIComponent(none))}`;
        const answer = await ask(method, at);

        expect([id, answer.status, answer.body?.['type']]).toEqual([
          id,
          404,
          '/api/v1/docs#no-such-run',
        ]);
      }
    }
    expect(await service.runs()).toHaveLength(1);
  });
});

test('what is asked for in a query that nobody knows is refused on every address', async () => {
  const { ask } = await serve([job({})]);

  for (const { id, method, path } of ENDPOINTS) {
    const answer = await ask(method, `${addressOf(path)}?colour=red&colour=blue&__proto__=1`);

    const problems = answer.body?.['errors'] ?? [];
    const paths = problems.map((one: { path: string }) => one.path);
    expect([id, answer.status]).toEqual([id, 400]);
    expect(paths).toEqual(expect.arrayContaining(['?colour', '?__proto__']));
  }
});

test('a field of a body that nobody knows is refused on every address', async () => {
  const { service, ask } = await serve([job({})]);
  const before = JSON.stringify((await service.store.read('job')).record);

  for (const { id, method, path } of ENDPOINTS.filter((one) => one.method !== 'GET')) {
    const answer = await ask(method, addressOf(path), json({ colour: 'red', 'a/b~c': 1 }));

    const problems = answer.body?.['errors'] ?? [];
    const paths = problems.map((one: { path: string }) => one.path);
    expect([id, answer.status]).toEqual([id, 400]);
    expect(paths).toEqual(expect.arrayContaining(['/colour', '/a~1b~0c']));
  }
  expect(JSON.stringify((await service.store.read('job')).record)).toBe(before);
});

test.each(['[]', '"text"', 'null', '7', 'true'])(
  'a body that is %s is refused on every address',
  async (body) => {
    const { ask } = await serve([job({})]);

    for (const { id, method, path } of ENDPOINTS.filter((one) => one.method !== 'GET')) {
      const answer = await ask(method, addressOf(path), json(body));

      expect([id, answer.status]).toEqual([id, 400]);
      expect(answer.body?.['errors']).toEqual([{ path: '', message: 'expected a JSON object' }]);
    }
  },
);
