import { auditStore, gapLine } from '../../server/core/audit.ts';
import type { Run } from '../../server/core/records.ts';
import { isFinal } from '../../server/core/run.ts';
import type { Store } from '../../server/core/store.ts';
import { graceOf, timing } from '../../server/core/time.ts';
import { systemClock } from '../../server/process/clock.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import type { Line } from '../chaos/journal.ts';
import { attemptKey, judge, type Told } from '../chaos/judge.ts';
import type { Row } from './report.ts';

/*
 * What must hold when all servers have ended: each occurrence is on record once, nothing ran twice
 * or at the same time, and what is on record is what handlers wrote down themselves.
 */

export const DEFAULT_LEASE_MS = 90_000;
/** By then what a killed process left is found, if anybody is awake. */
export const FOUND_WITHIN_MS =
  DEFAULT_LEASE_MS +
  graceOf(DEFAULT_LEASE_MS) +
  timing({ leaseMs: DEFAULT_LEASE_MS, tickMs: 60_000 }).tickMs;

export interface Account {
  readonly runs: readonly Run[];
  readonly attempts: ReadonlyMap<string, Told>;
  readonly rows: readonly Row[];
  readonly wrong: readonly string[];
}

export interface Accounting {
  readonly db: string;
  readonly journal: readonly Line[];
  readonly leaseMs?: number;
  /** Whether something may still wait for its turn, since the servers were told to stop. */
  readonly waiting?: boolean;
}

/** Holds the store against the journal, and each against what is promised. */
export async function account({
  db,
  journal,
  leaseMs = DEFAULT_LEASE_MS,
  waiting = false,
}: Accounting): Promise<Account> {
  const log = (): void => undefined;
  const store = openSqliteStore({ path: db, clock: systemClock, leaseMs, regressionMs: 5000, log });
  try {
    const audited = await auditStore(store);
    const runs = await allRuns(store);
    const { attempts, overlaps, doubles, fences, impossible } = judge(journal, { leaseMs });
    const broken = { overlaps, doubles, fences, impossible };
    const struck = new Set(
      journal.flatMap(({ word, pid, how }) => (word === 'gone' && how === 'SIGKILL' ? [pid] : [])),
    );
    const judged = runs.flatMap((run) => [...apart(run, attempts), ...unexplained(run, struck)]);
    const mayWait = (state: Run['state']): boolean => waiting && state !== 'running';
    const open = runs.filter(({ state }) => !isFinal(state) && !mayWait(state));
    const wrong = [
      ...audited.gaps.map((gap) => `gap: ${gapLine(gap)}`),
      ...Object.entries(broken).flatMap(([what, all]) => all.map((one) => `${what}: ${one}`)),
      ...notOnRecord(attempts, runs),
      ...judged,
      ...open.map(({ id, state }) => `${id} is left ${state}`),
    ];
    const counts = [...Map.groupBy(runs, kindOf)].map(([what, all]): Row => [what, all.length]);
    const rows: Row[] = [
      ['occurrences on record', audited.occurrences],
      ['gaps', audited.gaps.length],
      ['overlaps', overlaps.length],
      ['handlers started twice', doubles.length],
      ...counts.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ];
    return { runs, attempts, rows, wrong };
  } finally {
    await store.close();
  }
}

const kindOf = ({ state, reason, range }: Run): string =>
  range === null ? `runs ${state}` : `ranges ${state}: ${reason}`;

async function allRuns(store: Store): Promise<readonly Run[]> {
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

/** Where the record of a run says something else than its handler wrote. */
function apart(run: Run, told: ReadonlyMap<string, Told>): readonly string[] {
  const { id, job, state, attempts, build } = run;
  // Of what was written past the service there was never a handler.
  if (build === WRITTEN_PAST || SILENT.has(job)) return [];
  const last = told.get(attemptKey(id, attempts.length));
  if (state === 'succeeded' && last?.end?.how !== 'done') {
    return [`${id} succeeded, but its handler did not: ${last?.end?.how ?? 'it never began'}`];
  }
  const open = attempts.filter(({ outcome }) => outcome === null).length;
  return isFinal(state) && open > 0 ? [`${id} is ${state}, and ${open} attempts are open`] : [];
}

/** The build of history that no service made. */
export const WRITTEN_PAST = 'written-past';

/** Jobs as they are shipped, which write no journal. */
const SILENT: ReadonlySet<string> = new Set(['prune-history', 'self-audit']);

function notOnRecord(told: ReadonlyMap<string, Told>, runs: readonly Run[]): readonly string[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  return [...told.values()].flatMap(({ begin: { run, attempt, fence } }) => {
    const stored = byId.get(run)?.attempts[attempt - 1];
    return stored?.fence === fence ? [] : [`attempt ${attempt} of ${run} began off the record`];
  });
}

/** What is lost though nobody killed its process. */
function unexplained({ id, attempts }: Run, struck: ReadonlySet<number>): readonly string[] {
  return attempts
    .filter(({ outcome, owner }) => outcome === 'lost' && !struck.has(pidOf(owner)))
    .map(({ n, owner }) => `attempt ${n} of ${id} is lost, and nobody killed ${owner}`);
}

const pidOf = (owner: string): number => Number(owner.split(':').at(-1));
