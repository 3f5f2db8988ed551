import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { byHand, job, tempDb } from '../service.ts';
import { serve } from './client.ts';

/** Somebody edits the database by hand: no page may fail for it, nor be any larger. */

const LONG = 'x<'.repeat(100_000);

const damage: readonly (readonly [what: string, sql: string, ...values: string[]])[] = [
  ['runs without what they said', `UPDATE runs SET doc = '{}'`],
  ['runs that are no JSON', `UPDATE runs SET doc = '['`],
  ...['error', 'range', 'reason', 'input', 'requestedBy', 'scheduledAt', 'attempts[0]'].flatMap(
    (field) =>
      [
        [`runs whose ${field} is gone`, `UPDATE runs SET doc = json_remove(doc, '$.${field}')`],
        [
          `runs whose ${field} is odd`,
          `UPDATE runs SET doc = json_set(doc, '$.${field}', -1.5e300)`,
        ],
      ] as const,
  ),
  ['runs of long ago', `UPDATE runs SET doc = json_set(doc, '$.attempts[0].startedAt', -8.64e15)`],
  ['runs that name much', `UPDATE runs SET doc = json_set(doc, '$.requestedBy', ?)`, LONG],
  ['runs of no time', `UPDATE runs SET at = 9000000000000000`],
  ['actions that are nothing', `UPDATE actions SET doc = 'null'`],
  ['actions that are odd', `UPDATE actions SET doc = json_set(doc, '$.detail', json('[1]'))`],
  ['actions that say much', `UPDATE actions SET doc = json_set(doc, '$.by', ?)`, LONG],
  ['logs that are nothing', `UPDATE logs SET doc = 'null'`],
  ['lines that are nothing', `UPDATE logs SET doc = json_set(doc, '$.lines[0]', null)`],
  ['lines without a time', `UPDATE logs SET doc = json_remove(doc, '$.lines[0].at')`],
  [
    'jobs with a long zone',
    `UPDATE jobs SET doc = json_set(doc, '$.schedules[0].timeZone', ?)`,
    LONG,
  ],
  ['jobs with long ids', `UPDATE jobs SET doc = json_set(doc, '$.last.runId', ?)`, LONG],
];

test.for(damage)('%s take down no page', async ([, sql, ...values]) => {
  const path = tempDb();
  const works = job({
    name: 'works',
    run: ({ log }) => {
      log.info('hello');
      throw new Error('no');
    },
  });
  const { ask, service } = await serve([works], { path });
  await service.wake('00:05:00');
  await ask('POST', '/api/v1/jobs/works/runs');
  await service.settle();
  await service.idle();
  await ask('POST', '/jobs/works/row/pause');
  const { id } = await service.lastRun();
  const db = new DatabaseSync(path, { timeout: 5000 });
  onTestFinished(() => db.close());

  const { changes } = db.prepare(sql).run(...values);

  expect(changes).toBeGreaterThan(0);
  const run = `/runs/${encodeURIComponent(id)}`;
  const pages = [
    '/',
    '/jobs/works',
    '/jobs/works/backfill',
    run,
    '/runs',
    '/runs?q=no',
    '/actions',
  ];
  const more = ['/timeline', '/system', `/api/v1${run}`, '/api/v1/runs', `${run}/log.txt`];
  const found: (readonly [page: string, status: number, isSmall: boolean])[] = [];
  for (const page of [...pages, ...more]) {
    const { status, text } = await ask('GET', page);
    found.push([page, status, text.length < 150_000]);
  }
  expect(found).toEqual([...pages, ...more].map((page) => [page, 200, true]));
});

test('what a handler says of its progress can not damage its run', async () => {
  const odd = byHand({
    name: 'odd',
    run: ({ progress }) => {
      progress(3, Infinity);
      progress(NaN, -1);
      progress(Infinity);
    },
  });
  const { ask, service } = await serve([odd]);

  await ask('POST', '/api/v1/jobs/odd/runs');
  await service.settle();

  const { state, progress, error } = await service.lastRun();
  expect({ state, progress, error }).toEqual({
    state: 'succeeded',
    error: null,
    progress: { done: 3, total: null },
  });
});

test('what somebody sends as traceparent is kept only where it is one', async () => {
  const slow = byHand({ name: 'slow', overlap: 'queue', run: () => new Promise(() => undefined) });
  // With no room for more, no trace is begun for it yet.
  const env = { PUNCTUAL_MAX_RUNNING: '1' };
  const { ask, service } = await serve([slow], { env });
  await ask('POST', '/jobs/slow/row/runs');

  await ask('POST', '/jobs/slow/row/runs', { headers: { traceparent: 'x'.repeat(9000) } });

  const waiting = (await service.runs()).find(({ state }) => state === 'queued');
  expect(waiting).toMatchObject({ traceparent: null, error: null });
});

test('a note of 60,000 characters comes back short enough to be shown', async () => {
  const { ask } = await serve([job({ name: 'works' })]);
  const body = new URLSearchParams({ note: 'x'.repeat(60_000), lasts: '' });

  const { status, text } = await ask('POST', '/jobs/works/pause', { body });

  expect(status).toBe(422);
  expect(text.length).toBeLessThan(150_000);
  expect(text).toContain('has more than 500 characters');
});
