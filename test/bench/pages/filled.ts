import { DatabaseSync } from 'node:sqlite';
import { readConfig } from '../../../server/config.ts';
import { defineJob, type Job } from '../../../server/core/job.ts';
import type { DayTally, JobRecord, Outcome, Run } from '../../../server/core/records.ts';
import { registerJobs } from '../../../server/core/register.ts';
import { readRegistry } from '../../../server/core/registry.ts';
import type { RunState } from '../../../server/core/run.ts';
import { compactInstant, type Instant } from '../../../server/core/time.ts';
import { systemClock } from '../../../server/process/clock.ts';
import { makeService, type Service } from '../../../server/service.ts';
import { openStore } from '../../../server/stores/open.ts';
import { pastRun } from '../past-run.ts';

/** A service of 500 jobs with as much history as is asked for, listening on a free port. */

export const JOBS = 500;
const EVERY_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
const RECENT = 60;
const DAYS = 42;

const nameOf = (i: number): string => `team-${i % 20}-job-${String(i).padStart(3, '0')}`;

const jobs = (): Job[] =>
  Array.from({ length: JOBS }, (_, i) =>
    defineJob({
      name: nameOf(i),
      description: `What team ${i % 20} wants done again and again, number ${i}.`,
      tags: [`team-${i % 20}`, i % 3 === 0 ? 'hourly' : 'often'],
      // All that is measured is pages: nothing falls due while they are.
      schedule: `H H 1 1 *`,
      timeZone: i % 2 === 0 ? 'UTC' : 'Europe/London',
      run: () => undefined,
    }),
  );

export interface Filled {
  readonly url: string;
  /** A run that failed, and the job it belongs to. */
  readonly failed: string;
  readonly job: string;
  readonly service: Service;
}

/** The job whose pages are looked at: it has full lists, however few runs there are in all. */
const BUSY = 7;
const BUSY_RUNS = 500;

/** `path` is a database that is not there yet. */
export async function fill(path: string, runs: number): Promise<Filled> {
  const env = { PORT: '0', PUNCTUAL_DB: path, PUNCTUAL_BUILD: 'bench', PUNCTUAL_WAKE: 'tick' };
  const config = readConfig(env, '/', 0);
  const log = (): void => undefined;
  const registry = readRegistry(jobs(), config.timing, config.pace);
  const store = await openStore(config, systemClock, log);
  const service = makeService(config, { registry, store, clock: systemClock, log });
  await registerJobs(service.deps, { adopt: false, check: true });
  write(path, runs);
  const url = await service.listen();
  const job = nameOf(BUSY);
  const { runs: found } = await store.listRuns({ job, limit: 1, states: ['failed'] });
  const [failed] = found;
  if (failed === undefined) throw new Error('none of the runs failed');
  return { url, failed: failed.id, job, service };
}

/** History as a living service would have left it, written past it in one go. */
function write(path: string, runs: number): void {
  const ofBusy = Math.max(BUSY_RUNS, runs / JOBS);
  const ofOther = (runs - ofBusy) / (JOBS - 1);
  const count = (i: number): number => Math.floor(i === BUSY ? ofBusy : ofOther);
  const db = new DatabaseSync(path, { timeout: 5000 });
  const now = Math.floor(Date.now() / EVERY_MS) * EVERY_MS;
  db.exec('BEGIN IMMEDIATE');
  const insert = db.prepare(
    'INSERT INTO runs (id, job, state, trigger, at, doc) VALUES (?, ?, ?, ?, ?, ?)',
  );
  // Oldest first and all jobs in turn: the order in which a service writes them.
  for (let back = Math.floor(ofBusy) - 1; back >= 0; back -= 1) {
    for (let i = 0; i < JOBS; i += 1) {
      if (back >= count(i)) continue;
      const run = runOf(i, now - back * EVERY_MS - i * 100, back);
      insert.run(run.id, run.job, run.state, run.trigger, run.at, JSON.stringify(run));
    }
  }
  // Registered long ago: a list reads again what was written within its last second.
  const update = db.prepare('UPDATE jobs SET changed_at = ?, doc = ? WHERE name = ?');
  for (const row of db.prepare('SELECT name, doc FROM jobs').all()) {
    const record: JobRecord = JSON.parse(String(row['doc']));
    const i = Number(String(row['name']).slice(-3));
    update.run(now - DAY_MS, JSON.stringify({ ...record, ...past(i, now) }), record.name);
  }
  db.exec('COMMIT');
  // All at once it is more than the log of writes ever holds.
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

const stateOf = (i: number, back: number): RunState => {
  const n = (i * 31 + back * 17) % (i === BUSY ? 8 : 200);
  if (n === 0) return 'failed';
  if (n === 1) return 'timed_out';
  return n === 2 ? 'skipped' : 'succeeded';
};

const msOf = (i: number, back: number): number => 400 + ((i * 7919 + back * 104_729) % 90_000);

function runOf(i: number, at: Instant, back: number): Run {
  const job = nameOf(i);
  return pastRun({
    id: `${job}@${compactInstant(at)}`,
    job,
    at,
    n: back,
    state: stateOf(i, back),
    trigger: 'schedule',
    attemptId: `a${i}x${back}`,
    tookMs: msOf(i, back),
    message: `the shop of team ${i % 20} answered 503, asked for page ${back}`,
  });
}

/** What the job's own record remembers, of runs too that retention has deleted since. */
function past(i: number, now: Instant): Partial<JobRecord> {
  const recent: Outcome[] = [];
  for (let back = RECENT - 1; back >= 0; back -= 1) {
    const at = now - back * EVERY_MS - i * 100;
    const job = nameOf(i);
    const ms = msOf(i, back);
    const id = `${job}@${compactInstant(at)}`;
    recent.push({ id, state: stateOf(i, back), at: at + ms, ms });
  }
  const last = recent.at(-1);
  const today = Math.floor(now / DAY_MS);
  const days: DayTally[] = Array.from({ length: DAYS }, (_, k) => ({
    day: today - DAYS + 1 + k,
    good: 284,
    bad: k % 3,
    quiet: k % 2,
  }));
  return {
    recent,
    days,
    ...(last !== undefined && { last: { runId: last.id, state: last.state, at: last.at } }),
  };
}
