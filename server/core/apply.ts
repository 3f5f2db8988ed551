import { coveredBeyond, lookBeyond } from './covered.ts';
import type { ApplyDeps } from './deps.ts';
import type { Covered } from './undecided.ts';
import { blankRun } from './blank-run.ts';
import type { DecisionContext, Offer } from './draft.ts';
import { foldRuns, runsNeeded, type Folded } from './fold.ts';
import type { JobRecord, LogChunk, Run } from './records.ts';
import { BrokenInvariant } from './run.ts';
import { stampJob, stampRun } from './stamp.ts';
import type { Event, Refusal, Stepped } from './event.ts';
import { step } from './step.ts';
import { StoreUnavailable, UnknownOutcome, type StoreTime, type Version } from './store.ts';
import { isoInstant, sleep, type Clock, type Instant } from './time.ts';

/**
 * One wish to change a job: an event with everything random in it already drawn. It keeps its ids
 * through every try, the outer ones too, so that it can always find its own traces.
 */
export interface Intent {
  readonly id: string;
  readonly job: string;
  /** What the store counts the commit as. */
  readonly op: string;
  readonly event: Event;
  readonly offer: Offer | undefined;
  readonly random: number;
  /** Monotonic: before the first try left, and when to give up. */
  readonly sentAt: number;
  readonly deadline: number;
  /** The record as this owner's last commit left it, which saves the first read. */
  readonly held: Held | undefined;
  readonly heldRun: Run | undefined;
  readonly logs: readonly LogChunk[];
}

/** A record with the version to commit under, and the store time it was read at. */
export interface Held extends StoreTime {
  readonly record: JobRecord;
  readonly version: Version;
  /** Monotonic, when the reply came. */
  readonly at: number;
}

/** The right to run an attempt, with all that running it needs. */
export interface Granted {
  readonly attemptId: string;
  readonly run: Run;
  readonly held: Held;
  /** Monotonic, before the first try of the intent that granted: the lease counts from here. */
  readonly sentAt: number;
}

export type Applied =
  | {
      readonly kind: 'applied';
      readonly held: Held;
      readonly runs: ReadonlyMap<string, Run>;
      readonly granted: Granted | undefined;
    }
  | { readonly kind: 'nothing'; readonly held: Held | undefined }
  | Refusal
  /** Surely not applied, and the time is up. */
  | { readonly kind: 'unavailable'; readonly cause: unknown }
  /** The time is up, and nobody can say whether it was applied. */
  | { readonly kind: 'unknown'; readonly cause: unknown };

const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 1000;

interface Memory {
  /** Whether a try may have been applied without our knowing. */
  unsure: boolean;
  readonly existing: Set<string>;
  covered: Covered | undefined;
  readAll: boolean;
  cause: unknown;
}

/** Draws everything random of a new intent. `withinMs` is how long it is tried. */
export function newIntent(
  deps: ApplyDeps,
  wish: Pick<Intent, 'job' | 'op' | 'event'> & Partial<Intent>,
  withinMs: number,
): Intent {
  const sentAt = deps.clock.monotonic();
  return {
    id: deps.newId(),
    offer: undefined,
    random: deps.random(),
    sentAt,
    deadline: sentAt + withinMs,
    held: undefined,
    heldRun: undefined,
    logs: [],
    ...wish,
  };
}

/**
 * Applies one intent to its job: reads, decides, commits under the version that was read, and looks
 * again when it lost. Losing is a value; only broken invariants and programming errors throw.
 */
export async function apply(deps: ApplyDeps, intent: Intent): Promise<Applied> {
  const memory: Memory = {
    unsure: false,
    existing: new Set(),
    covered: undefined,
    readAll: false,
    cause: undefined,
  };
  let held = intent.held;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const done = await tryOnce(deps, intent, held, memory);
    if (done !== 'again') return done;
    held = undefined;
    if (deps.clock.monotonic() >= intent.deadline) {
      return { kind: memory.unsure ? 'unknown' : 'unavailable', cause: memory.cause };
    }
    await sleep(deps.clock, pauseMs * (0.5 + deps.random()));
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
  }
}

async function tryOnce(
  deps: ApplyDeps,
  intent: Intent,
  held: Held | undefined,
  memory: Memory,
): Promise<Applied | 'again'> {
  try {
    const now = held === undefined ? await look(deps, intent) : aged(deps, held);
    assertPast(intent, now);
    const own = await evidence(deps, intent, now, memory);
    if (own !== undefined) return own;
    const ctx = contextOf(deps, intent, now, memory);
    const stepped = step(now.record, intent.event, ctx);
    if (stepped.kind === 'nothing') return { kind: 'nothing', held: heldOf(now) };
    if (stepped.kind === 'refused') return (await doneBefore(deps, intent, now, memory)) ?? stepped;
    return await commit(deps, intent, { now, stepped, ctx }, memory);
  } catch (error) {
    if (error instanceof UnknownOutcome) memory.unsure = true;
    else if (!(error instanceof StoreUnavailable)) throw error;
    memory.cause = error;
    return 'again';
  }
}

interface Seen extends StoreTime {
  readonly record: JobRecord | undefined;
  readonly version: Version | undefined;
  readonly at: number;
}

async function look(deps: ApplyDeps, intent: Intent): Promise<Seen> {
  const loaded = await deps.store.read(intent.job);
  if (loaded.problem !== undefined) throw new BrokenRecord(intent.job, loaded.problem);
  return { ...loaded, at: deps.clock.monotonic() };
}

/** A record held since an earlier reply, its store time moved on by the monotonic clock. */
const aged = ({ clock }: ApplyDeps, held: Held): Seen => ({
  ...held,
  storeNow: nowOf(held, clock),
  at: clock.monotonic(),
});

/** A watermark in the future would keep the job from ever running again, without a word. */
function assertPast({ job, event }: Intent, { record, storeNow }: Seen): void {
  if (record === undefined || event.kind === 'rewind' || record.watermark <= storeNow) return;
  throw new BrokenRecord(job, `its watermark ${isoInstant(record.watermark)} lies in the future`);
}

const heldOf = ({ record, version, ...rest }: Seen): Held | undefined =>
  record === undefined || version === undefined ? undefined : { ...rest, record, version };

/** The store time that a held record stands for by now. */
export const nowOf = (held: Held, clock: Clock): Instant =>
  held.storeNow + Math.floor(clock.monotonic() - held.at);

/** Whether an earlier try of this intent, whose reply was lost, was applied after all. */
async function evidence(
  deps: ApplyDeps,
  intent: Intent,
  now: Seen,
  memory: Memory,
): Promise<Applied | undefined> {
  const { offer } = intent;
  const held = heldOf(now);
  if (!memory.unsure || held === undefined) return undefined;
  const lease = offer && held.record.active[offer.attemptId];
  const runId = lease?.runId ?? (await ownTrace(deps, intent, held.record));
  if (runId === undefined) return undefined;
  const run = await deps.store.getRun(runId);
  const runs = new Map(run === undefined ? [] : [[runId, run]]);
  const granted =
    lease === undefined || offer === undefined || run === undefined
      ? undefined
      : { attemptId: offer.attemptId, run, held, sentAt: intent.sentAt };
  return { kind: 'applied', held, runs, granted };
}

/** A cancel that is refused may have been applied by an earlier try, whose reply was lost. */
async function doneBefore(
  deps: ApplyDeps,
  { event }: Intent,
  now: Seen,
  { unsure }: Memory,
): Promise<Applied | undefined> {
  if (!unsure || (event.kind !== 'cancel' && event.kind !== 'free')) return undefined;
  const run = await deps.store.getRun(event.runId);
  return run?.state === 'cancelled' ? { kind: 'nothing', held: heldOf(now) } : undefined;
}

/** The run on which this intent left its trace; undefined when it left none. */
async function ownTrace(
  deps: ApplyDeps,
  { event, heldRun }: Intent,
  record: JobRecord,
): Promise<string | undefined> {
  if (event.kind === 'finish' && record.active[event.attemptId] === undefined) {
    const run = heldRun && (await deps.store.getRun(heldRun.id));
    const own = run?.attempts.find((attempt) => attempt.attemptId === event.attemptId);
    return own?.outcome === event.ending.outcome ? run?.id : undefined;
  }
  if (event.kind === 'manual') {
    const run = await deps.store.getRun(event.run.id);
    return run?.requestHash === event.run.requestHash ? run?.id : undefined;
  }
  return undefined;
}

function contextOf(deps: ApplyDeps, intent: Intent, now: Seen, memory: Memory): DecisionContext {
  return {
    now: now.storeNow,
    unsteady: now.unsteady,
    timing: deps.timing,
    build: deps.build,
    namespace: deps.namespace,
    random: intent.random,
    upSince: deps.upSince(),
    intentId: intent.id,
    existing: memory.existing,
    covered: memory.covered,
    offer: intent.offer,
  };
}

interface Decided {
  readonly now: Seen;
  readonly stepped: Extract<Stepped, { kind: 'write' }>;
  readonly ctx: DecisionContext;
}

async function commit(
  deps: ApplyDeps,
  intent: Intent,
  { now, stepped, ctx }: Decided,
  memory: Memory,
): Promise<Applied | 'again'> {
  const { record, specs, actions } = stepped;
  if (now.record !== undefined && memory.covered === undefined) {
    memory.covered = await lookBeyond(deps, now.record, stepped.runs);
    if (memory.covered !== undefined) return 'again';
  }
  if (intent.event.kind !== 'rewind') checkInvariants(now.record, record);
  const known = new Map<string, Run | undefined>();
  for (const id of runsNeeded(stepped.runs, memory.readAll)) {
    const own = intent.heldRun?.id === id && !memory.readAll;
    known.set(id, own ? intent.heldRun : await deps.store.getRun(id));
  }
  const folded = foldRuns(stepped.runs, known, (id) => blankRun(intent.job, id, ctx));
  if (deps.clock.monotonic() - now.at > deps.timing.staleReadMs) return 'again';
  const committed = await deps.store.commit({
    op: intent.op,
    name: intent.job,
    version: now.version,
    record,
    create: folded.create,
    update: folded.update,
    specs,
    logs: intent.logs,
    actions,
  });
  switch (committed.kind) {
    case 'ok':
      return applied(deps, intent, stepped, folded, committed);
    case 'conflict':
      return 'again';
    case 'exists':
      // A manual run's id is its key's: the caller compares what stands there.
      if (intent.event.kind === 'manual' && committed.runIds.includes(intent.event.run.id)) {
        return { kind: 'refused', why: 'exists', runId: null };
      }
      for (const id of committed.runIds) memory.existing.add(id);
      memory.covered = await coveredBeyond(deps, record.name, now.record?.watermark ?? 0);
      return 'again';
    case 'missing':
      memory.readAll = true;
      return 'again';
  }
}

function applied(
  deps: ApplyDeps,
  intent: Intent,
  { record, grant }: Decided['stepped'],
  folded: Folded,
  { version, storeNow, unsteady }: StoreTime & { readonly version: Version },
): Applied {
  const at = deps.clock.monotonic();
  const held = { record: stampJob(record, storeNow), version, storeNow, unsteady, at };
  const runs = new Map([...folded.after].map(([id, run]) => [id, stampRun(run, storeNow)]));
  const run = grant && runs.get(grant.runId);
  const granted = grant && run && { attemptId: grant.attemptId, run, held, sentAt: intent.sentAt };
  return { kind: 'applied', held, runs, granted };
}

/** Invariants I3, I4 and I6 of the protocol, asserted before anything is written. */
function checkInvariants(before: JobRecord | undefined, after: JobRecord): void {
  if (before === undefined) return;
  const broken = (what: string): never => {
    throw new BrokenInvariant(`job "${after.name}": ${what}`);
  };
  if (after.watermark < before.watermark) broken('the watermark went back');
  if (after.fence < before.fence) broken('the fencing token went back');
  for (const [attemptId, lease] of Object.entries(after.active)) {
    if (before.active[attemptId] === undefined && lease.fence <= before.fence) {
      broken(`attempt ${attemptId} got a fencing token that is not new`);
    }
  }
  const slots = typeof after.spec.overlap === 'object' ? after.spec.overlap.allow : 1;
  const held = (job: JobRecord): number =>
    [...Object.values(job.active), ...job.retries].filter((run) => !run.beside).length;
  // A definition that takes slots away leaves the runs that hold them.
  if (held(after) > Math.max(slots, held(before))) broken(`more than ${slots} runs hold a slot`);
}

/** A job's record can't be used: the job is set aside, all others go on. */
export class BrokenRecord extends Error {
  override readonly name = 'BrokenRecord';

  constructor(job: string, problem: string) {
    super(`the record of job "${job}" can't be used: ${problem}`);
  }
}
