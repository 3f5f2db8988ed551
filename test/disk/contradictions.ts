import { auditStore, gapLine } from '../../server/core/audit.ts';
import type { JobRecord, Run } from '../../server/core/records.ts';
import { isFinal, type RunState } from '../../server/core/run.ts';
import type { Store } from '../../server/core/store.ts';

/**
 * All that a store says against itself: gaps of the ledger by the shipped audit, and whatever one
 * record says of another that is not so. Nothing may be at work on it.
 */
export async function contradictions(store: Store): Promise<string[]> {
  const found = (await auditStore(store)).gaps.map((gap) => gapLine(gap));
  for (const { name, record, problem } of await store.listJobs({ limit: 1000 })) {
    if (record === undefined) {
      found.push(`${name}: its record can't be used: ${problem}`);
      continue;
    }
    const runs = new Map((await runsOf(store, name)).map((run) => [run.id, run]));
    found.push(...ofJob(record, runs).map((what) => `${name}: ${what}`));
    for (const run of runs.values()) found.push(...ofRun(run), ...(await ofLog(store, run)));
  }
  return found;
}

/** All runs and ranges of a job. */
export async function runsOf(store: Store, job: string): Promise<Run[]> {
  const found: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listRuns({ job, limit: 500, ...(cursor !== undefined && { cursor }) });
    found.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

function ofJob(record: JobRecord, runs: ReadonlyMap<string, Run>): string[] {
  const found: string[] = [];
  const must = (what: string, so: boolean): void => void (so || found.push(what));
  const is = (id: string, state: RunState): boolean => runs.get(id)?.state === state;
  for (const [attemptId, { runId, fence, attempt }] of Object.entries(record.active)) {
    must(`a lease is held of ${runId}, which is not running`, is(runId, 'running'));
    const last = runs.get(runId)?.attempts.at(-1);
    const same = last?.attemptId === attemptId && last.fence === fence && last.n === attempt;
    must(`the lease ${attemptId} is of no attempt of ${runId}`, same && last?.endedAt === null);
  }
  for (const { runId } of record.retries) must(`${runId} does not wait`, is(runId, 'retry_wait'));
  for (const { runId } of record.queue) must(`${runId} is not queued`, is(runId, 'queued'));
  const { last, recent } = record;
  // Retention may have deleted what an outcome is of.
  const told = [...recent, ...(last === null ? [] : [{ id: last.runId, state: last.state }])];
  for (const { id, state } of told.filter((one) => runs.has(one.id))) {
    must(`${id} is not ${state}, as its job says`, is(id, state));
  }
  const fences = [...runs.values()].flatMap(({ attempts }) => attempts.map(({ fence }) => fence));
  must('a fencing token is larger than the last', Math.max(0, ...fences) <= record.fence);
  must('two attempts have one fencing token', new Set(fences).size === fences.length);
  return found;
}

const NEVER_STARTED: ReadonlySet<RunState> = new Set(['queued', 'skipped', 'missed']);

function ofRun({ id, state, range, attempts, endedAt, startedAt }: Run): string[] {
  const found: string[] = [];
  const must = (what: string, so: boolean): void => void (so || found.push(`${id}: ${what}`));
  const open = attempts.filter((one) => one.endedAt === null);
  must(`${open.length} attempts are open`, open.length === (state === 'running' ? 1 : 0));
  must('its end is not that of its state', (endedAt !== null) === (isFinal(state) && !range));
  must(
    'its attempts are not numbered from 1',
    attempts.every(({ n }, i) => n === i + 1),
  );
  must('it has begun before its attempts', (startedAt === null) === (attempts.length === 0));
  if (NEVER_STARTED.has(state)) must('it was started', attempts.length === 0);
  else if (state !== 'cancelled') must('nothing was started', attempts.length > 0);
  const { outcome } = attempts.at(-1) ?? {};
  if (state === 'succeeded') must('its last attempt did not succeed', outcome === 'succeeded');
  return found;
}

async function ofLog(store: Store, { id }: Run): Promise<string[]> {
  const chunks = await store.readLog(id, 0, 1000);
  let next = chunks[0]?.first ?? 0;
  const found: string[] = [];
  for (const { n, first, lines } of chunks) {
    // Each attempt numbers its lines from 0.
    if (first !== next && first !== 0) found.push(`${id}: line ${next} is not in its log (${n})`);
    next = first + lines.length;
  }
  return found;
}
