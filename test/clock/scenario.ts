import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { auditStore, gapLine } from '../../server/core/audit.ts';
import type { Job } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { backfillJob, pauseJob } from '../../server/core/run-now.ts';
import { job } from '../service.ts';
import { Journal, problemsOf, type Employer } from './journal.ts';
import { Machine } from './machine.ts';
import { allRuns, start, type Process, type Starting } from './service.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** As long as a lease is by default. */
export const LEASE = 90 * SECOND;
/** Ten years, with their leap days. */
export const DECADE = 3652 * DAY;

/** A service on a machine of its own, and what its handlers did. */
export interface Scene {
  readonly machine: Machine;
  readonly journal: Journal;
  readonly path: string;
  readonly from: number;
  process: Process;
  /** Starts another process on the same database. */
  another(more?: Partial<Starting>): Promise<Process>;
}

export type JobsOf = (journal: Journal, employer: Employer) => readonly Job[];

/** A machine with other things to do is no reason to fail: time in here is virtual. */
vi.setConfig({ testTimeout: 120_000 });

/**
 * A real file, in memory where there is a place for it: these tests commit ten thousands of times,
 * and what they kill keeps nothing from reaching a disk. The long form's files are too large.
 */
function databaseFile(): string {
  const inMemory = process.env['PUNCTUAL_TEST_LONG'] !== '1' && existsSync('/dev/shm');
  const folder = mkdtempSync(join(inMemory ? '/dev/shm' : tmpdir(), 'punctual-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'punctual.db');
}

export async function scene(
  jobsOf: JobsOf,
  { from = Date.UTC(2026, 2, 1, 0, 18), aheadMs = 0, ...more }: Partial<Starting> & Opening = {},
): Promise<Scene> {
  const machine = new Machine(from);
  machine.setBy(aheadMs);
  const journal = new Journal(machine);
  const starting: Starting = {
    machine,
    path: databaseFile(),
    jobs: (employer) => jobsOf(journal, employer),
    onKilled: (name) => journal.killed(name),
    ...more,
  };
  const another = (rest: Partial<Starting> = {}): Promise<Process> =>
    start({ ...starting, ...rest });
  return { machine, journal, path: starting.path, from, process: await another(), another };
}

interface Opening {
  readonly from?: number;
  /** How wrong the clock is from the beginning. */
  readonly aheadMs?: number;
}

/** One job for each thing that a step of the clock may meet. */
export const everySituation: JobsOf = (journal, of) => [
  job({ name: 'minute', schedule: '* * * * *', run: journal.work(of, 100) }),
  job({
    name: 'long',
    schedule: '*/30 * * * *',
    timeout: '1h',
    run: journal.work(of, 10 * MINUTE),
  }),
  job({
    name: 'again',
    schedule: '30 * * * *',
    retry: { attempts: 3, backoff: { from: '8m', jitter: 0 } },
    run: journal.work(of, 100, { fails: 1 }),
  }),
  job({ name: 'paused', schedule: '*/5 * * * *', run: journal.work(of, 100) }),
  job({ name: 'filled', schedule: '*/15 * * * *', run: journal.work(of, 2 * MINUTE) }),
  job({
    name: 'daily',
    schedule: '0 3 * * *',
    catchUp: { runs: 'all', within: '7d' },
    run: journal.work(of, 100),
  }),
  job({
    name: 'queued',
    schedule: '*/3 * * * *',
    overlap: 'queue',
    run: journal.work(of, 4 * MINUTE),
  }),
  job({
    name: 'replaced',
    schedule: '*/10 * * * *',
    overlap: 'replace',
    timeout: '1h',
    run: journal.work(of, 14 * MINUTE),
  }),
];

export const PAUSED_FOR_MS = 30 * MINUTE;

/**
 * A quarter of an hour on, at :34: `long` is in the middle of a run, `again` waits to be tried again, `paused` is
 * paused until :50, `filled` is in the middle of a backfill, `queued` and `replaced` are busy, and
 * the others are idle.
 */
export async function intoTheMiddle({ machine, process }: Scene): Promise<void> {
  const { deps } = process.service;
  await machine.pass(2 * MINUTE);
  const until = machine.wall + PAUSED_FOR_MS;
  await pauseJob(deps, 'paused', { by: 'ann', note: 'maintenance', until });
  await machine.pass(11 * MINUTE);
  const now = machine.wall - (machine.wall % (15 * MINUTE));
  await backfillJob(deps, 'filled', { id: 'b1', from: now - 2 * HOUR, to: now, by: 'ann' });
  await machine.pass(3.5 * MINUTE);
}

/**
 * Whatever must hold after all, whatever the clock did. The wall clock tells the time by then.
 * `ranAhead`: runs may be on record of a time that has not come, since the clock was reset.
 */
export async function expectKept(
  scene: Scene,
  { ranAhead = false }: { readonly ranAhead?: boolean } = {},
): Promise<readonly Run[]> {
  const { machine, journal, process } = scene;
  const runs = await allRuns(process.store);
  const { gaps } = await auditStore(process.store);
  const ahead = runs.filter(({ at, range }) => at > machine.wall && (range !== null || !ranAhead));
  expect({
    problems: problemsOf(journal.all),
    gaps: gaps.slice(0, 5).map(gapLine),
    disagreements: journal.disagreements(runs).slice(0, 5),
    undecided: await undecided(scene),
    ahead: ahead.map(({ id }) => id),
  }).toEqual({ problems: [], gaps: [], disagreements: [], undecided: [], ahead: [] });
  return runs;
}

/** Jobs that stand still although they could go on: what came due is a minute old and more. */
async function undecided({ machine, process }: Scene): Promise<string[]> {
  const jobs = await process.store.listJobs({ limit: 100 });
  return jobs.flatMap(({ name, record, setAside }) => {
    if (record === undefined || setAside !== undefined)
      return [`${name} is set aside: ${setAside}`];
    const late = machine.wall - MINUTE;
    const next = record.nextActionAt ?? Infinity;
    return next > late ? [] : [`${name} waits for ${new Date(next).toISOString()}`];
  });
}

/** What the log said of the clock, in order. */
export const clockEvents = ({ log }: Process): string[] =>
  log.map(({ event }) => event).filter((event) => /clock|restarted/.test(event));

/** Why the clock can't be trusted, as the page of the system tells it; undefined where it can. */
export async function toldOfClock(process: Process): Promise<string | undefined> {
  const text = (await process.page('/system')).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  return /clock can’t be trusted: (.*?) Nothing new starts/.exec(text)?.[1]?.trim();
}

/** Ranges of what did not run, without those that every busy job has. */
export const rangesOf = (runs: readonly Run[], job: string): string[] =>
  runs.flatMap(({ job: name, range, reason, state }) =>
    name === job && range !== null
      ? [`${clock(range.from)}–${clock(range.to)} ${state}: ${reason}`]
      : [],
  );

/** The occurrences of a job whose handler was started, each once. */
export const startsOf = (journal: Journal, name: string): string[] => [
  ...new Set(journal.of(name).map(({ scheduledAt }) => clock(scheduledAt))),
];

/** `2026-03-01T00:34`. */
export const clock = (at: number): string => new Date(at).toISOString().slice(0, 16);
