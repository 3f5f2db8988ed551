import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './measure.ts';
import { fill, JOBS, type Filled } from './pages/filled.ts';
import type { Bar, Result } from './section.ts';

/*
 * Each page of the dashboard, with 500 jobs: how long it takes with a million runs in the store, and
 * how much longer than with a thousand. From the request to the last byte of its answer, over
 * loopback; both stores are asked in turns.
 */

const RUNS = { few: 1000, many: 1_000_000 } as const;
const ROUNDS = 15;
const MOST_MS = 50;
const MOST_TIMES = 1.5;
/** Under this a ratio says more of the machine's moods than of the page. */
const LEAST_MS = 2;

/** Looks through a stated number of runs, 2,000: more than there are in the small store. */
const NOWHERE = 'Runs, text that is nowhere';

const paths = ({ job, failed }: Filled): readonly (readonly [what: string, path: string])[] => [
  ['Jobs', '/'],
  ['Jobs, narrowed down', '/?text=team-7'],
  ['Job', `/jobs/${job}`],
  ['Job, its failures', `/jobs/${job}?state=failed`],
  ['Run', `/runs/${encodeURIComponent(failed)}`],
  ['Runs', '/runs'],
  ['Runs, problems', `/runs?${query('state:problem since:2d')}`],
  ['Runs of a job', `/runs?${query(`job:${job} state:failed`)}`],
  ['Runs, text', `/runs?${query('state:failed text:503')}`],
  [NOWHERE, `/runs?${query('text:nowhere')}`],
  ['Timeline', '/timeline'],
  ['Actions', '/actions'],
  ['System', '/system'],
];

const query = (q: string): string => new URLSearchParams({ q }).toString();

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const opened: Filled[] = [];
  try {
    for (const [name, runs] of Object.entries(RUNS)) {
      say(`writing ${runs.toLocaleString('en')} runs of ${JOBS} jobs`);
      opened.push(await fill(join(folder, `${name}.db`), runs));
    }
    const [few, many] = opened;
    if (few === undefined || many === undefined) throw new Error('a store was not made');
    const rows: [string, number, number, number, number][] = [];
    const bars: Bar[] = [];
    const there = paths(few);
    for (const [i, [what, path]] of paths(many).entries()) {
      say(what);
      const found = await inTurns(few.url + (there[i]?.[1] ?? path), many.url + path);
      const times = Math.max(found.many, LEAST_MS) / Math.max(found.few, LEAST_MS);
      rows.push([what, found.few, found.many, times, found.kb]);
      bars.push({ what, measured: found.many, unit: 'ms', bound: { under: MOST_MS } });
      const grown = { what: `${what}, grown`, measured: times, unit: 'times' };
      if (what !== NOWHERE) bars.push({ ...grown, bound: { under: MOST_TIMES } });
    }
    const columns = ['Page', '1,000 runs, ms', '1,000,000 runs, ms', 'times', 'KB'];
    return { tables: [{ title: `Pages, ${JOBS} jobs`, columns, rows }], bars };
  } finally {
    for (const { service } of opened) await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inTurns(few: string, many: string) {
  const found = { few: [] as number[], many: [] as number[] };
  let kb = 0;
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const [name, url] of [['few', few] as const, ['many', many] as const]) {
      const before = performance.now();
      const answer = await fetch(url);
      const text = await answer.text();
      const ms = performance.now() - before;
      if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
      // The first two are for the engine and the caches.
      if (round >= 0) found[name].push(ms);
      if (name === 'many') kb = Buffer.byteLength(text) / 1000;
    }
  }
  return { few: median(found.few), many: median(found.many), kb };
}
