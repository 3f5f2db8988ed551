import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { account } from './account.ts';
import { largest } from './figures.ts';
import { under, type Report } from './report.ts';
import { openPlace, until } from './server.ts';

/** A service that was away for weeks: how soon all of it is decided, and in how few records. */

export interface OutageOptions {
  readonly jobs: number;
  readonly days: number;
  readonly withinMs: number;
}

const DAY_MS = 86_400_000;
/** So long it is there before: enough that some of its jobs have run. */
const BEFORE_MS = 2000;
const GIVE_UP_MS = 120_000;
const PAST = new URL('past.ts', import.meta.url).pathname;

export async function outage({ jobs, days, withinMs }: OutageOptions): Promise<Report> {
  const place = openPlace();
  const env = { LOAD_JOBS: String(jobs), PUNCTUAL_BUILD: 'outage' };
  try {
    const agoMs = days * DAY_MS;
    const before = await place.start({
      jobs: 'outage.ts',
      env: { ...env, LOAD_AGO_MS: String(agoMs) },
      imports: [PAST],
    });
    await pause(BEFORE_MS);
    await before.end('SIGTERM');

    const spawnedAt = Date.now();
    const server = await place.start({ jobs: 'outage.ts', env });
    const listensAt = Date.now();
    const db = new DatabaseSync(place.db, { readOnly: true });
    const behind = db.prepare(
      `SELECT count(*) AS n FROM jobs WHERE doc ->> '$.watermark' < ?
       AND (next_action_at <= ? OR doc ->> '$.catchUpTo' IS NOT NULL)`,
    );
    const isOver = async () => Number(behind.get(spawnedAt - DAY_MS, spawnedAt)?.['n']) === 0;
    await until('all that was missed is decided', isOver, GIVE_UP_MS, 20);
    const decidedAt = Date.now();
    db.close();
    await pause(BEFORE_MS);
    await server.end('SIGTERM');

    const { runs, rows, wrong } = await account({
      db: place.db,
      journal: place.journal(),
      waiting: true,
    });
    const ranges = runs.filter(({ state, range }) => range !== null && state === 'missed');
    const ofOne = Map.groupBy(ranges, ({ job, reason }) => `${job} ${reason}`);
    const caught = runs.filter(
      ({ scheduledAt, startedAt }) =>
        scheduledAt !== null && scheduledAt < spawnedAt && (startedAt ?? 0) >= spawnedAt,
    );
    const endedAt = largest(caught.map((run) => run.endedAt ?? Infinity));
    const missed = ranges.reduce((sum, { range }) => sum + (range?.count ?? 0), 0);
    return {
      title: `${jobs} jobs after ${days} days`,
      rows: [
        ['from the start of the process until it listened', `${listensAt - spawnedAt} ms`],
        ['until all was decided', `${decidedAt - spawnedAt} ms`],
        ['runs that made good for it', caught.length],
        ['until they were over', `${endedAt - spawnedAt} ms`],
        ['occurrences that were missed, at least', missed],
        ...rows,
      ],
      bars: [
        under('all decided', (decidedAt - spawnedAt) / 1000, withinMs / 1000, 's'),
        under('all made good', (endedAt - spawnedAt) / 1000, withinMs / 1000, 's'),
        under(
          'range records of a job and reason, at most',
          largest([...ofOne.values()].map((some) => some.length)),
          2,
          '',
        ),
      ],
      wrong: [
        ...wrong,
        ...place.errors(),
        ...(caught.length === 0 ? ['no run made good for anything'] : []),
      ],
    };
  } finally {
    await place.close();
  }
}
