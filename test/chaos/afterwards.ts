import { setTimeout as wait } from 'node:timers/promises';
import { expiryOf } from '../../server/core/draft.ts';
import type { JobRecord } from '../../server/core/records.ts';
import type { Store } from '../../server/core/store.ts';
import type { Fleet } from './fleet.ts';
import { foundWithinMs, type Ground } from './ground.ts';
import { Counts, Disagreements, readAll, slotsIn } from './history.ts';
import { judge, type Findings } from './judge.ts';
import { EVERY_MS } from './kinds.ts';
import type { Asked } from './people.ts';
import { Recoveries } from './recoveries.ts';
import { Untrue } from './untrue.ts';

/** What must hold when all has been quiet: in the store, and between the store and the journal. */

export interface Outcome {
  readonly found: Findings;
  readonly counts: Counts;
  readonly recoveries: Recoveries;
  /** What the shipped command prints. */
  readonly audit: string;
  /** Whatever stands still although it could go on. */
  readonly left: readonly string[];
  readonly disagreements: readonly string[];
  /** Answers given to people that are not so. */
  readonly untrue: readonly string[];
  /** What servers did by themselves. */
  readonly wrong: readonly string[];
  /** How often servers told of which error. */
  readonly errors: ReadonlyMap<string, number>;
  readonly failedStarts: number;
}

const NOBODY: Asked = { runs: new Map(), cancelled: [], pauses: [], wrong: [] };

/**
 * Leaves the servers alone for as long as it may take them to find what was lost; looks what is
 * left, ends them, and compares all that is on record with what handlers wrote, and with what people
 * were told.
 */
export async function conclude(fleet: Fleet, asked: Asked = NOBODY): Promise<Outcome> {
  const { ground } = fleet;
  const store = ground.open();
  try {
    await wait(foundWithinMs(ground));
    const left = await leftOver(store, ground);
    const audit = await fleet.audit();
    await Promise.all([...fleet.urls.keys()].map((place) => fleet.end(place, 'SIGTERM')));
    const rules = { leaseMs: ground.leaseMs, slotsOf: slotsIn(ground.every) };
    const found = judge(fleet.journal(), rules);
    const counts = new Counts();
    const recoveries = new Recoveries(found);
    const disagreements = new Disagreements(found, ground.every);
    const untrue = new Untrue(asked, ground.every);
    await readAll(store, [counts, recoveries, disagreements, untrue]);
    return {
      found,
      counts,
      recoveries,
      audit,
      left,
      disagreements: disagreements.found(),
      untrue: untrue.found(),
      wrong: fleet.wrong,
      errors: fleet.errors,
      failedStarts: fleet.failedStarts(),
    };
  } finally {
    await store.close();
  }
}

/** What an audit prints when every occurrence is on record. */
const ALL_WELL = /^\d+ jobs, .*: 0 unexplained gaps$/;

/** Every promise that was broken, by the journal, the audit, the records and what people know. */
export function violationsOf(outcome: Outcome): string[] {
  const { found, audit, left, disagreements, untrue, wrong } = outcome;
  const { overlaps, doubles, fences, impossible } = found;
  const broken = {
    overlap: overlaps,
    double: doubles,
    fence: fences,
    'impossible line': impossible,
    'left over': left,
    'journal and records': disagreements,
    untrue,
    server: wrong,
    audit: ALL_WELL.test(audit) ? [] : audit.split('\n'),
  };
  return Object.entries(broken).flatMap(([what, all]) => all.map((one) => `${what}: ${one}`));
}

/** However busy a machine is with other things, by then it has come to what was left. */
const LEFT_FOR_MS = 60_000;

/** I13 of the protocol. What is left over is so at each look, a tick apart. */
async function leftOver(store: Store, ground: Ground): Promise<string[]> {
  let left = await standing(store, ground);
  for (let ms = 0; ms < LEFT_FOR_MS && left.length > 0; ms += ground.tickMs) {
    await wait(ground.tickMs);
    const now = new Set(await standing(store, ground));
    left = left.filter((what) => now.has(what));
  }
  return left;
}

async function standing(store: Store, ground: Ground): Promise<string[]> {
  const jobs = await store.listJobs({ limit: 1000 });
  const { storeNow } = await store.time();
  return jobs.flatMap(({ name, record, problem }) => {
    const found = record === undefined ? [`${problem}`] : stuck(record, storeNow, ground);
    return found.map((what) => `${name}: ${what}`);
  });
}

/** What of a job stands still although it could go on, and somebody should have seen it by now. */
export function stuck(
  record: JobRecord,
  now: number,
  { tickMs, every }: Pick<Ground, 'tickMs' | 'every'>,
): string[] {
  const { active, retries, queue, watermark, paused } = record;
  const leases = Object.values(active);
  const busy = leases.length > 0 || retries.length > 0;
  const overdue = now - tickMs;
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
    ...(!busy && paused === null && watermark < lastBefore(overdue, EVERY_MS[every])
      ? [`nothing is decided since ${watermark}`]
      : []),
  ];
}

const lastBefore = (at: number, everyMs: number): number => Math.floor(at / everyMs) * everyMs;
