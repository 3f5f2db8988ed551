import { breathe } from './breathe.ts';
import type { JobRecord, Run, SpecRecord } from './records.ts';
import { isFinal } from './run.ts';
import type { Store } from './store.ts';
import { compactInstant, type Instant } from './time.ts';
import { occurrencesOf } from './undecided.ts';

/** One thing that is not as promised. */
export interface Gap {
  readonly job: string;
  readonly at: Instant;
  readonly what: string;
}

export interface Audited {
  readonly jobs: number;
  readonly occurrences: number;
  /** Records that account for them. */
  readonly runs: number;
  readonly ranges: number;
  readonly gaps: readonly Gap[];
}

/** How far back an audit looks; to the beginning, unless said otherwise. */
export interface Reach {
  readonly since?: Instant;
}

const PAGE = 500;
/** Occurrences are recomputed in stretches, so that a long ledger needs no long list. */
const STRETCH = 5000;
const GAPS_LIMIT = 10_000;

/**
 * The users' proof: recomputes every occurrence that the ledger of a job covers, (max(registeredAt,
 * ledgerFrom), watermark], from the schedules on record, and finds each in exactly one record. With
 * `since` it looks at those after that instant only, and reads no older history.
 */
export async function auditJob(
  store: Store,
  record: JobRecord,
  { since }: Reach = {},
): Promise<Audited> {
  const { name: job, watermark } = record;
  const from = Math.max(record.registeredAt, record.ledgerFrom, since ?? -Infinity);
  const covered = await coverage(store, record, from);
  const specs = await store.listSpecs(job);
  const gaps: Gap[] = [];
  let occurrences = 0;
  for (let cursor = from; cursor < watermark;) {
    const found = occurrencesBySpecs(job, specs, cursor, watermark);
    for (const at of found) {
      const count = covered.count(at);
      if (count === 1) continue;
      const what = count === 0 ? 'no record says what became of it' : `${count} records claim it`;
      if (gaps.length < GAPS_LIMIT) gaps.push({ job, at, what });
    }
    occurrences += found.length;
    cursor = found.length < STRETCH ? watermark : (found.at(-1) ?? watermark);
  }
  gaps.push(...(await confirmed(store, job, covered.suspects)));
  const { runs, ranges } = covered;
  return { jobs: 1, occurrences, runs, ranges, gaps: await stillCovered(store, job, gaps) };
}

/** Retention may have moved the ledger on while we looked: what it no longer covers is no gap. */
async function stillCovered(store: Store, job: string, gaps: Gap[]): Promise<Gap[]> {
  if (gaps.length === 0) return gaps;
  const { record } = await store.read(job);
  return gaps.filter(({ at }) => at > (record?.ledgerFrom ?? 0));
}

const occurrencesBySpecs = (
  name: string,
  schedules: readonly SpecRecord[],
  from: Instant,
  to: Instant,
): Instant[] => occurrencesOf({ name, schedules }, { from, to }, STRETCH);

interface Coverage {
  readonly runs: number;
  readonly ranges: number;
  /** Runs that seem to contradict the job's record. */
  readonly suspects: readonly Run[];
  /** How many records claim an occurrence. */
  count(at: Instant): number;
}

/** Reads the job's history once, newest first. */
async function coverage(store: Store, record: JobRecord, from: Instant): Promise<Coverage> {
  const single = new Map<Instant, number>();
  const ranges: { from: Instant; to: Instant }[] = [];
  const suspects: Run[] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? {} : { cursor };
    const page = await store.listRuns({ job: record.name, limit: PAGE, since: from, ...more });
    for (const run of page.runs) {
      if (contradiction(run, record) !== undefined) suspects.push(run);
      if (run.trigger !== 'schedule') continue;
      if (run.range !== null) ranges.push(run.range);
      else if (run.scheduledAt !== null) {
        single.set(run.scheduledAt, (single.get(run.scheduledAt) ?? 0) + 1);
      }
    }
    cursor = page.cursor;
    await breathe();
  } while (cursor !== undefined);
  ranges.sort((a, b) => a.from - b.from);
  return {
    runs: single.size,
    ranges: ranges.length,
    suspects,
    count: (at) => (single.get(at) ?? 0) + holding(ranges, at),
  };
}

/**
 * A living service goes on while we look: only what still contradicts itself afterwards is a gap.
 */
async function confirmed(store: Store, job: string, suspects: readonly Run[]): Promise<Gap[]> {
  const gaps: Gap[] = [];
  if (suspects.length === 0) return gaps;
  const { storeNow } = await store.time();
  for (const { id } of suspects.slice(0, GAPS_LIMIT)) {
    const before = await store.getRun(id);
    const { record } = await store.read(job);
    const after = await store.getRun(id);
    if (before === undefined || after === undefined || record === undefined) continue;
    // Made by a clock that was ahead, and was reset since: when its time comes it is passed over.
    if (before.at > record.watermark && before.createdAt > storeNow) continue;
    const what = contradiction(before, record);
    const same = before.state === after.state && before.attempts.length === after.attempts.length;
    if (what !== undefined && same) gaps.push({ job, at: before.at, what });
  }
  return gaps;
}

function contradiction(run: Run, record: JobRecord): string | undefined {
  if (run.trigger === 'schedule' && run.at > record.watermark) {
    return `record ${run.id} lies beyond the watermark`;
  }
  if (isFinal(run.state) || holds(record, run.id)) return undefined;
  return `run ${run.id} is ${run.state}, but nothing holds it`;
}

const holds = ({ active, retries, queue }: JobRecord, runId: string): boolean =>
  [...Object.values(active), ...retries, ...queue].some((holder) => holder.runId === runId);

/**
 * How many of the ranges, sorted by their beginning, hold an instant. Ranges hardly ever overlap.
 */
function holding(ranges: readonly { from: Instant; to: Instant }[], at: Instant): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.from ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  let count = 0;
  for (let i = low - 1; i >= 0 && i >= low - OVERLAPS_LOOKED_AT; i--) {
    if ((ranges[i]?.to ?? -Infinity) >= at) count++;
  }
  return count;
}

const OVERLAPS_LOOKED_AT = 50;

/** Audits every job of a store. A record that can't be read is a gap of its own. */
export async function auditStore(store: Store, reach: Reach = {}): Promise<Audited> {
  let total: Audited = { jobs: 0, occurrences: 0, runs: 0, ranges: 0, gaps: [] };
  let after: string | undefined;
  for (;;) {
    const page = await store.listJobs({ limit: PAGE, ...(after !== undefined && { after }) });
    for (const { name, record, problem } of page) {
      const what = `its record can't be used: ${problem ?? 'it is empty'}`;
      const broken = {
        jobs: 1,
        occurrences: 0,
        runs: 0,
        ranges: 0,
        gaps: [{ job: name, at: 0, what }],
      };
      total = sum(total, record === undefined ? broken : await auditJob(store, record, reach));
    }
    after = page.at(-1)?.name;
    if (page.length < PAGE || after === undefined) return total;
  }
}

const sum = (a: Audited, b: Audited): Audited => ({
  jobs: a.jobs + b.jobs,
  occurrences: a.occurrences + b.occurrences,
  runs: a.runs + b.runs,
  ranges: a.ranges + b.ranges,
  gaps: [...a.gaps, ...b.gaps],
});

/** A gap in one line. */
export const gapLine = ({ job, at, what }: Gap): string =>
  `${job} ${at === 0 ? '' : compactInstant(at)}: ${what}`;
