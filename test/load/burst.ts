import { DatabaseSync } from 'node:sqlite';
import type { Run } from '../../server/core/records.ts';
import { isFinal } from '../../server/core/run.ts';
import { account } from './account.ts';
import { largest, median } from './figures.ts';
import { under, type Report, type Row } from './report.ts';
import { openPlace, until, type Place, type Server } from './server.ts';

/** Many jobs that are due in the same second, on one machine with the settings that all have. */

export interface BurstOptions {
  readonly jobs: number;
  /** By when all have to be on record and over. */
  readonly withinMs: number;
}

/** A start registers hundreds of jobs a second, and then has to come to rest. */
const START_MS = 3000;
const START_MS_A_JOB = 4;
const REST_MS = 500;
const TRIES = 4;
const GIVE_UP_MS = 120_000;

export async function burst({ jobs, withinMs }: BurstOptions): Promise<Report> {
  const { place, server, at } = await ready(jobs, START_MS + jobs * START_MS_A_JOB);
  try {
    await allOver(place.db, jobs, at - Date.now() + GIVE_UP_MS);
    const seenMs = Date.now() - at;
    const page = await fetch(server.url);
    const odd = await server.stop();

    const { runs, rows, wrong } = await account({ db: place.db, journal: place.journal() });
    const due = runs.filter(({ scheduledAt }) => scheduledAt === at);
    const [started, ended] = [due.map(startOf), due.map(endOf)];
    const times = (what: string, values: readonly number[]): Row => {
      const after = values.map((value) => value - at);
      const [first, middle] = [Math.min(...after), median(after)];
      return [what, `first ${first} ms, median ${middle} ms, last ${largest(after)} ms`];
    };
    return {
      title: `${jobs} jobs due in the same second`,
      rows: [
        times('started after it', started),
        times('finished after it', ended),
        ['runs a second', (jobs / (largest(ended) - at)) * 1000],
        ['all were seen to be over after', `${seenMs} ms`],
        ...rows,
      ],
      bars: [under('all on record and over', (largest(ended) - at) / 1000, withinMs / 1000, 's')],
      wrong: [
        ...wrong,
        ...place.errors(),
        ...(due.length === jobs ? [] : [`${due.length} of ${jobs} runs are on record`]),
        ...due
          .filter(({ state }) => state !== 'succeeded')
          .map(({ id, state }) => `${id} ${state}`),
        ...(page.status === 200 ? [] : [`afterwards the first page was answered ${page.status}`]),
        ...odd,
      ],
    };
  } finally {
    await place.close();
  }
}

/** Starts a server a while before its jobs are due; where that was too short, with more time. */
async function ready(jobs: number, startMs: number, left = TRIES): Promise<Ready> {
  const place = openPlace();
  try {
    const at = Math.ceil((Date.now() + startMs) / 1000) * 1000;
    const env = { LOAD_JOBS: String(jobs), LOAD_AT: String(at) };
    const server = await place.start({ jobs: 'burst.ts', env });
    if (at - Date.now() > REST_MS) return { place, server, at };
    if (left === 0) throw new Error(`the start of ${jobs} jobs takes longer than ${startMs} ms`);
  } catch (error) {
    await place.close();
    throw error;
  }
  await place.close();
  return await ready(jobs, startMs * 2, left - 1);
}

interface Ready {
  readonly place: Place;
  readonly server: Server;
  readonly at: number;
}

const startOf = ({ id, startedAt }: Run): number => known(id, startedAt);
const endOf = ({ id, state, endedAt }: Run): number =>
  isFinal(state) ? known(id, endedAt) : Infinity;

function known(id: string, at: number | null): number {
  if (at === null) throw new Error(`${id} has no time of it`);
  return at;
}

/** Looks past the server, so that the looking is no work for it. */
async function allOver(path: string, jobs: number, withinMs: number): Promise<void> {
  const db = new DatabaseSync(path, { readOnly: true });
  const count = db.prepare(`SELECT count(*) AS n FROM runs WHERE state <> 'running'`);
  try {
    const look = async () => Number(count.get()?.['n']) >= jobs;
    await until(`all of ${jobs} runs are over`, look, withinMs, 100);
  } finally {
    db.close();
  }
}
