import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { table } from '../../scripts/table.ts';
import { expiryOf } from '../../server/core/draft.ts';
import type { JobRecord, Run } from '../../server/core/records.ts';
import { isFinal } from '../../server/core/run.ts';
import type { Store } from '../../server/core/store.ts';
import { openStore } from '../firestore/fixture.ts';
import { attemptKey, judge, type Findings, type Line } from './journal.ts';
import { FOUND_WITHIN_MS, LEASE_MS, TICK_MS, type Fleet } from './fleet.ts';

/** What must hold when all has been quiet: in the store, and between the store and the journal. */

export interface Outcome {
  readonly found: Findings;
  readonly runs: readonly Run[];
  /** What the shipped command prints. */
  readonly audit: string;
  /** Whatever stands still although it could go on. */
  readonly left: readonly string[];
  readonly disagreements: readonly string[];
  /** How long it took to find each lost attempt, in ms, shortest first. */
  readonly recoveries: readonly number[];
}

/**
 * Leaves the servers alone for as long as it may take them to find what was lost; looks what is
 * left, ends them, and compares all that is on record with what handlers wrote.
 */
export async function conclude(fleet: Fleet): Promise<Outcome> {
  const store = openStore({ project: fleet.project });
  await wait(FOUND_WITHIN_MS);
  const left = await leftOver(store);
  const audit = await fleet.audit();
  await Promise.all([...fleet.servers.keys()].map((place) => fleet.end(place, 'SIGTERM')));
  const runs = await allRuns(store);
  await store.close();
  const lines = fleet.journal();
  const found = judge(lines, LEASE_MS);
  const marks = lines.filter(({ word }) => word !== 'effect');
  const recovered = recoveries(runs, marks).toSorted((a, b) => a - b);
  return {
    found,
    runs,
    audit,
    left,
    disagreements: disagreements(runs, found),
    recoveries: recovered,
  };
}

/** Every promise that the journal, the audit and the records can speak of. */
export function expectKept({ found, audit, left, disagreements: apart }: Outcome): void {
  const { overlaps, doubles, fences, impossible } = found;
  const broken = { overlaps, doubles, fences, impossible, left, apart };
  const first = Object.entries(broken).flatMap(([what, all]) =>
    all.slice(0, 5).map((one) => `${what}: ${one}`),
  );
  expect(first).toEqual([]);
  expect(audit).toMatch(/^\d+ jobs, .*: 0 unexplained gaps$/);
}

/** What it all came to, as a small table. */
export function figures(
  title: string,
  { found, runs, audit, left, recoveries: recovered }: Outcome,
  more: Readonly<Record<string, string | number>>,
): string {
  const tries = runs.flatMap(({ attempts }) => attempts);
  const outcomes = (outcome: string): number =>
    tries.filter((one) => one.outcome === outcome).length;
  const last = recovered.at(-1);
  const rows = {
    ...more,
    occurrences: /(\d+) occurrences/.exec(audit)?.[1] ?? '?',
    runs: runs.filter(({ range }) => range === null).length,
    attempts: found.attempts.size,
    'lost attempts': outcomes('lost'),
    'interrupted attempts': outcomes('interrupted'),
    retries: tries.filter(({ n }) => n > 1).length,
    ...(last !== undefined && {
      'found lost after, median': `${recovered[recovered.length >> 1]} ms`,
      'found lost after, at most': `${last} ms`,
    }),
    'effects on their way when stopped': found.late,
    overlaps: found.overlaps.length,
    doubles: found.doubles.length,
    'fence violations': found.fences.length,
    gaps: /(\d+) unexplained gaps/.exec(audit)?.[1] ?? '?',
    'left over': left.length,
  };
  const cells = Object.entries(rows).map(([name, value]) => [name, `${value}`]);
  return `\n${table([title, ''], cells)}\n`;
}

/** I13 of the protocol. What is left over is still so a tick later. */
async function leftOver(store: Store): Promise<string[]> {
  const first = await standing(store);
  if (first.length === 0) return [];
  await wait(TICK_MS);
  const second = new Set(await standing(store));
  return first.filter((what) => second.has(what));
}

async function standing(store: Store): Promise<string[]> {
  const jobs = await store.listJobs({ limit: 100 });
  const { storeNow } = await store.time();
  return jobs.flatMap(({ name, record, problem }) => {
    const found = record === undefined ? [`${problem}`] : stuck(record, storeNow);
    return found.map((what) => `${name}: ${what}`);
  });
}

function stuck(record: JobRecord, now: number): string[] {
  const { active, retries, queue, watermark, paused } = record;
  const leases = Object.values(active);
  const busy = leases.length > 0 || retries.length > 0;
  const overdue = now - TICK_MS;
  return [
    ...leases
      .filter((lease) => expiryOf(lease, now) < overdue)
      .map(({ runId, renewedAt }) => `${runId} runs without a lease since ${renewedAt}`),
    ...retries
      .filter(({ notBefore }) => leases.length === 0 && notBefore < overdue)
      .map(({ runId, notBefore }) => `${runId} waits since ${notBefore}`),
    ...queue
      .filter(({ since }) => !busy && since < overdue)
      .map(({ runId, since }) => `${runId} is queued since ${since}`),
    ...(!busy && paused === null && watermark < Math.floor(overdue / 10_000) * 10_000
      ? [`nothing is decided since ${watermark}`]
      : []),
  ];
}

/** All records, when nobody changes them any more. */
async function allRuns(store: Store): Promise<Run[]> {
  const runs: Run[] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? {} : { cursor };
    const page = await store.listRuns({ limit: 500, ...more });
    runs.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return runs;
}

/** Where what handlers wrote and what is on record do not agree, once every process has ended. */
function disagreements(runs: readonly Run[], { attempts }: Findings): string[] {
  const found: string[] = [];
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const { begin, end } of attempts.values()) {
    const stored = byId.get(begin.run)?.attempts[begin.attempt - 1];
    const what = `attempt ${begin.attempt} of ${begin.run}`;
    if (stored?.fence !== begin.fence) found.push(`${what} began, and is not on record`);
    else if (stored.outcome === 'succeeded' && end?.how !== 'done') {
      found.push(`${what} succeeded, but its handler did not: ${end?.how}`);
    }
  }
  for (const { id, state, attempts: tries } of runs) {
    const last = attempts.get(attemptKey(id, tries.length));
    if (state === 'succeeded' && last === undefined) found.push(`${id} succeeded without a start`);
    const open = tries.filter(({ outcome }) => outcome === null).length;
    if (isFinal(state) ? open > 0 : open > 1) found.push(`${id} is ${state}, ${open} tries open`);
  }
  return found;
}

/**
 * How long after its process ended or stopped each lost attempt was put down as lost; counted from
 * when somebody was up to notice.
 */
function recoveries(runs: readonly Run[], lines: readonly Line[]): number[] {
  return runs.flatMap(({ id, attempts }) =>
    attempts.flatMap(({ n, outcome, endedAt }) => {
      const begin = lines.findIndex(({ run, attempt }) => run === id && attempt === n);
      const pid = lines[begin]?.pid;
      const struck = lines.find(
        ({ word, pid: other }, i) =>
          i > begin && other === pid && (word === 'gone' || word === 'stop'),
      );
      if (outcome !== 'lost' || endedAt === null) return [];
      // Others are lost with their connection, and nobody wrote that down.
      if (struck === undefined || struck.at > endedAt) return [];
      return [endedAt - Math.max(struck.at, awakeSince(lines, endedAt))];
    }),
  );
}

/** Since when, without a break until `at`, at least one process was up and not stopped. */
function awakeSince(lines: readonly Line[], at: number): number {
  const awake = new Set<number>();
  let since = 0;
  for (const line of lines.filter((one) => one.at <= at)) {
    if (line.word === 'up' || line.word === 'cont') {
      if (awake.size === 0) since = line.at;
      awake.add(line.pid);
    } else if (line.word === 'gone' || line.word === 'stop') awake.delete(line.pid);
  }
  return since;
}
