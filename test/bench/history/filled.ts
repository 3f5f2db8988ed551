import { closeSync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { LogChunk, Run, Trigger } from '../../../server/core/records.ts';
import type { RunState } from '../../../server/core/run.ts';
import type { Service } from '../../../server/service.ts';
import { compactInstant, type Instant } from '../../../server/core/time.ts';
import { pastRun } from '../past-run.ts';

/*
 * History as a living service would have left it, with a log of a line for each run. A fifth of it
 * is of one job that runs, fails and is started by hand often; two are there for what is seldom.
 */

export const JOBS = 40;
const EVERY_MS = 60_000;
const BUSY_SHARE = 0.2;
/** However many runs there are, so many are of a kind that is seldom: a few pages. */
const SELDOM = 150;
/** All that is written at once, so that no page of the file is written twice. */
const CACHE_KB = 2_000_000;

export const jobName = (i: number): string => `job-${String(i).padStart(2, '0')}`;

/** Has a fifth of all runs, in the same time as the others. */
export const BUSY = jobName(0);
/** Scheduled, and seldom started by hand. */
export const SCHEDULED = jobName(1);
/** Always started by hand; seldom fails. */
export const BY_HAND = jobName(2);
/** Like most. */
export const CALM = jobName(3);

/** A service whose file is full of history. */
export interface Filled extends Written {
  readonly path: string;
  readonly service: Service;
}

export interface Written {
  /** All fell due in (from, until]. */
  readonly from: Instant;
  readonly until: Instant;
  /** How many are of the job that has most. */
  readonly ofBusy: number;
}

/**
 * Writes so many runs into a database that has its tables, past the service and with nobody else at
 * it. The newest of them fell due just now.
 */
export function writeRuns(path: string, runs: number): Written {
  const until = Date.now();
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KB}`);
  db.exec('BEGIN IMMEDIATE');
  const insert = db.prepare(
    'INSERT INTO runs (id, job, state, trigger, at, doc) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const log = db.prepare('INSERT INTO logs (run_id, n, doc) VALUES (?, 0, ?)');
  for (const run of pastRuns(runs, until)) {
    insert.run(run.id, run.job, run.state, run.trigger, run.at, JSON.stringify(run));
    log.run(run.id, JSON.stringify(pastLog(run)));
  }
  db.exec('COMMIT');
  db.exec('PRAGMA journal_mode = WAL');
  db.close();
  putOnDisk(path);
  const { rounds, ofBusy } = roundsOf(runs);
  return { from: until - rounds * EVERY_MS, until, ofBusy: rounds * ofBusy };
}

/** Or whoever syncs the file next waits for all of it. */
function putOnDisk(path: string): void {
  const file = openSync(path, 'r+');
  fsyncSync(file);
  closeSync(file);
}

/** In each round every job has a run, and the busy one so many. */
function roundsOf(runs: number) {
  const rounds = Math.ceil((runs * (1 - BUSY_SHARE)) / (JOBS - 1));
  return { rounds, ofBusy: Math.round((runs * BUSY_SHARE) / rounds) };
}

/** Oldest first and all jobs in turn: the order in which a service writes them. */
function* pastRuns(runs: number, until: Instant): Generator<Run> {
  const { rounds, ofBusy } = roundsOf(runs);
  const seldom = Math.floor(rounds / SELDOM);
  const busySeldom = Math.floor((rounds * ofBusy) / SELDOM);
  for (let round = 0; round < rounds; round += 1) {
    const at = until - (rounds - 1 - round) * EVERY_MS;
    for (let k = 0; k < ofBusy; k += 1) {
      const n = round * ofBusy + k;
      yield runOf(0, n, at - Math.floor((EVERY_MS * (ofBusy - 1 - k)) / ofBusy), busySeldom);
    }
    for (let i = 1; i < JOBS; i += 1) yield runOf(i, round, at - i, seldom);
  }
}

/** Always the same, in [0, 1), and without a pattern that a job's own runs could fall in with. */
function drawn(n: number, salt: number): number {
  const mixed = Math.imul((n + 1) ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  return (Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 8) / 2 ** 24;
}

/** What became of a job's `n`th run, and why it was. One in `seldom` is of a seldom kind. */
function kindOf(i: number, n: number, seldom: number): { state: RunState; trigger: Trigger } {
  const isSeldom = n % seldom === 0;
  const [fate, why] = [drawn(n, i + 1), drawn(n, i + 1001)];
  switch (jobName(i)) {
    case BUSY: {
      if (isSeldom) return { state: 'cancelled', trigger: 'manual' };
      const ended = fate < 0.35 ? 'timed_out' : 'succeeded';
      const state = fate < 0.25 ? 'failed' : ended;
      const trigger = why < 0.25 ? 'manual' : 'schedule';
      return { state, trigger: why > 0.9 ? 'backfill' : trigger };
    }
    case SCHEDULED:
      return { state: 'succeeded', trigger: isSeldom ? 'manual' : 'schedule' };
    case BY_HAND:
      return { state: isSeldom ? 'failed' : 'succeeded', trigger: 'manual' };
    default: {
      const quiet = fate < 0.012 ? 'skipped' : 'succeeded';
      return { state: fate < 0.01 ? 'failed' : quiet, trigger: 'schedule' };
    }
  }
}

function runOf(i: number, n: number, at: Instant, seldom: number): Run {
  const job = jobName(i);
  const { state, trigger } = kindOf(i, n, seldom);
  const id = trigger === 'schedule' ? `${job}@${compactInstant(at)}` : `${job}!${hashed(i, n)}`;
  const message = `the shop answered 503, asked for page ${n}`;
  const attemptId = `a${i}x${n}`;
  return pastRun({ id, job, at, n, state, trigger, attemptId, tookMs: 360, message });
}

/** As an idempotency key is: in no order of time. */
const hashed = (i: number, n: number): string =>
  [1, 2, 3, 4].map((k) => Math.floor(drawn(n, i * 8 + k + 5000) * 2 ** 24).toString(36)).join('');

const pastLog = ({ id, at }: Run): LogChunk => ({
  runId: id,
  n: 0,
  first: 0,
  lines: [{ at, level: 'info', text: 'asked the shop, and wrote what it said', fields: null }],
  progress: null,
  keepFrom: 0,
});
