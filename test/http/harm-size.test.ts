import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { LogBuffer } from '../../server/core/log-buffer.ts';
import { Scrubber } from '../../server/core/secrets/scrubber.ts';
import { collector } from '../../server/process/collect.ts';
import { liveClock as clock } from '../live-clock.ts';
import { byHand, openService } from '../service.ts';
import { json, serve } from './client.ts';
import { pathOf } from './runs.ts';

/** Whatever is far too long is kept in part, which says so; and no page, and no process, suffers. */

const MEGABYTE = 1_000_000;
const LONG = 'x'.repeat(MEGABYTE);
/** Of what is written the longest in a page. */
const WORST = '"\u202e'.repeat(MEGABYTE / 2);
const PAGE_BYTES = 150_000;
const ENDS = /… \(10000\d\d characters\)$/;

const HANDLERS = {
  'a line of its log': ({ log }: JobContext) => log(LONG),
  'many lines of its log': ({ log }: JobContext) => {
    for (let i = 0; i < 200; i += 1) log(WORST, { [WORST]: WORST });
  },
  'fields of its log': ({ log }: JobContext) => log('said', { LONG }),
  'an error': () => {
    throw new Error(LONG);
  },
  'an error that the worst is in': () => {
    throw Object.assign(new Error(WORST), { name: WORST, stack: WORST });
  },
  'a thrown text': () => {
    throw LONG;
  },
  'a thrown object': () => {
    throw { LONG };
  },
  'a cause': () => {
    throw new Error('outside', { cause: new Error(LONG) });
  },
  'many errors': () => {
    throw new AggregateError(
      Array.from({ length: 20 }, () => new Error(LONG)),
      LONG,
    );
  },
  'its output': () => LONG,
  'the most that an output may be': () => WORST.slice(0, 15_000),
} as const;

const isHandler = (name: string): name is keyof typeof HANDLERS => name in HANDLERS;

async function run(what: string) {
  const handler = isHandler(what) ? HANDLERS[what] : () => undefined;
  const { ask, service } = await serve(
    [byHand({ run: handler }), byHand({ name: 'after', run: () => 'fine' })],
    {
      clock,
    },
  );
  const wait = { Prefer: 'wait=20' };
  const { body } = await ask('POST', '/api/v1/jobs/job/runs', { headers: wait });
  const id = String(body?.['id']);
  const log = await ask('GET', `/api/v1/runs/${encodeURIComponent(id)}/log?format=json`);
  return { ask, service, id, body, lines: log.body?.['lines'] ?? [], wait };
}

describe.each(Object.keys(HANDLERS))('a megabyte in %s', (what) => {
  test('is kept in part, shown within the size of a page, and hinders nobody', async () => {
    const { ask, service, id, wait } = await run(what);

    const paths = [pathOf({ id }), '/', '/runs', '/jobs/job', '/timeline', '/actions', '/system'];
    const pages = await Promise.all(paths.map((path) => ask('GET', path)));
    const after = await ask('POST', '/api/v1/jobs/after/runs', { headers: wait });
    const record = JSON.stringify(await service.store.getRun(id));
    const [last] = await service.store.readLogEnd(id, { from: 0, before: 1e9, limit: 1 });

    expect(record.length).toBeLessThan(100_000);
    expect(JSON.stringify(last ?? null).length).toBeLessThan(500_000);
    for (const [i, { status, text }] of pages.entries()) {
      expect([paths[i], status]).toEqual([paths[i], 200]);
      expect(Buffer.byteLength(text)).toBeLessThan(PAGE_BYTES);
    }
    expect(after.body).toMatchObject({ state: 'succeeded', output: 'fine' });
  }, 60_000);
});

test.each([
  ['an error', ENDS],
  ['a thrown text', ENDS],
  ['a thrown object', /… \(1\d{6} characters\)$/],
  ['a cause', /^outside; because x+… \(\d+ characters\)$/],
  ['its output', /^its output is 1000002 bytes of JSON; 65536 is most$/],
])('what is left of %s says how much there was', async (what, words) => {
  const { body } = await run(what);

  expect(body?.['state']).toBe('failed');
  expect(body?.['error'].message).toMatch(words);
});

test.each([
  ['a line of its log', 'text'],
  ['fields of its log', 'fields'],
])('what is left of %s says how much there was', async (what, part) => {
  const { lines } = await run(what);

  expect(lines[0][part]).toMatch(/… \(1\d{6} characters\)$/);
});

test('what is left of long lines holds nothing of the rest in memory', async () => {
  const collect = await collector();
  const { deps } = await openService([]);
  const of = { runId: 'a!b', attempt: 1, scrubber: new Scrubber(), mayWrite: () => true };
  const log = new LogBuffer(deps, of).forHandler();
  collect();
  const before = process.memoryUsage().heapUsed;

  for (let i = 0; i < 30; i += 1) log(`${i} ${'y'.repeat(4 * MEGABYTE)}`, { [LONG]: i });
  collect();

  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * MEGABYTE);
});

test('a megabyte that is sent is refused: as an input, a note, a key, a form, an address', async () => {
  const { ask } = await serve([byHand({})]);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const statuses = await Promise.all(
    [
      ask('POST', '/api/v1/jobs/job/runs', json({ input: LONG })),
      ask('PUT', '/api/v1/jobs/job/pause', json({ note: LONG })),
      ask('POST', '/api/v1/jobs/job/runs', {
        headers: { 'Idempotency-Key': LONG.slice(0, 60_000) },
      }),
      ask('POST', '/jobs/job/pause', { headers: form, body: `note=${LONG}` }),
      ask('GET', `/runs?q=${LONG.slice(0, 60_000)}`),
    ].map(async (answer) => (await answer).status),
  );

  expect(statuses).toEqual([413, 413, 431, 413, 431]);
});
