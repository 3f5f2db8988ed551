import { beforeAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill, type Filled } from '../bench/pages/filled.ts';

/** Every page of a service with 500 jobs: how much is sent, and how much is read for it. */

const MOST_BYTES = 150_000;

let filled: Filled;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-pages-'));
  filled = await fill(join(folder, 'punctual.db'), 5000);
  return async () => {
    await filled.service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}, 60_000);

const q = (text: string): string => new URLSearchParams({ q: text }).toString();

/** How many calls of the store a page may take, and how many records may come of them. */
const PAGES: readonly (readonly [
  what: string,
  path: (of: Filled) => string,
  reads: number,
  records: number,
])[] = [
  ['jobs', () => '/', 3, 500],
  ['jobs, narrowed down', () => '/?text=team-7&state=active', 1, 500],
  ['a job', ({ job }) => `/jobs/${job}`, 4, 300],
  ['a job, its failures', ({ job }) => `/jobs/${job}?state=failed`, 4, 300],
  ['a backfill', ({ job }) => `/jobs/${job}/backfill`, 4, 300],
  ['a run', ({ failed }) => `/runs/${encodeURIComponent(failed)}`, 6, 20],
  ['runs', () => '/runs', 1, 51],
  ['runs, problems', () => `/runs?${q('state:problem since:2d')}`, 1, 51],
  ['runs, text that is nowhere', () => `/runs?${q('text:nowhere')}`, 10, 2000],
  ['timeline', () => '/timeline', 3, 700],
  ['actions', () => '/actions', 1, 51],
  ['system', () => '/system', 6, 20],
  ['schedule', () => '/schedule', 0, 0],
];

test.each(PAGES)(
  '%s: the page is small, and reads little',
  async (_what, path, mostReads, mostRecords) => {
    const url = filled.url + path(filled);

    const answer = await fetch(url);
    const text = await answer.text();

    const footer = /<footer[^>]*><p>([\d,]+) store reads?, ([\d,]+) records?,/.exec(text);
    const [reads, records] = [footer?.[1], footer?.[2]].map((n) => Number(n?.replaceAll(',', '')));
    expect(answer.status).toBe(200);
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
    expect(reads).toBeLessThanOrEqual(mostReads);
    expect(records).toBeLessThanOrEqual(mostRecords);
  },
);
