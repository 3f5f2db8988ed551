import { coveredBeyond, lookBeyond } from './covered.ts';
import type { ApplyDeps } from './deps.ts';
import type { Covered } from './undecided.ts';
import type { DecisionContext, Offer } from './draft.ts';
import { cancelledBefore, evidence } from './evidence.ts';
import {
  heldOf,
  isReckonable,
  momentOf,
  nowOf,
  sinceMs,
  type Held,
  type Moment,
  type Seen,
} from './held.ts';
import { endedBy, endedOf } from './observing.ts';
import { drawAnew, drawUp, type Decided, type Drawn } from './draw-up.ts';
import { runsNeeded } from './fold.ts';
import type { LogChunk, Run } from './records.ts';
import { BrokenInvariant } from './run.ts';
import { stampJob, stampRun } from './stamp.ts';
import type { Event, Refusal } from './event.ts';
import { step } from './step.ts';
import {
  StoreUnavailable,
  UnknownOutcome,
  type Again,
  type Commit,
  type Committed,
  type Loaded,
} from './store.ts';
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
  /** Before the first try left. */
  readonly sentAt: Moment;
  /** Monotonic: when to give up. */
  readonly deadline: number;
  /** The record as this owner's last commit left it, which saves the first read. */
  readonly held: Held | undefined;
  readonly heldRun: Run | undefined;
  readonly logs: readonly LogChunk[];
  /** How many documents were read for it beforehand. */
  readonly reads: number;
}

/** The right to run an attempt, with all that running it needs. */
export interface Granted {
  readonly attemptId: string;
  readonly run: Run;
  readonly held: Held;
  /** Before the first try of the intent that granted: the lease counts from here. */
  readonly sentAt: Moment;
}

export type Applied =
  | {
      readonly kind: 'applied';
      readonly held: Held;
      readonly runs: ReadonlyMap<string, Run>;
      readonly granted: Granted | undefined;
    }
  /** By the store's time `at` there was nothing to do. */
  | { readonly kind: 'nothing'; readonly held: Held | undefined; readonly at: Instant }
  | Refusal
  /** Surely not applied, and the time is up. */
  | { readonly kind: 'unavailable'; readonly cause: unknown }
  /** The time is up, and nobody can say whether it was applied. */
  | { readonly kind: 'unknown'; readonly cause: unknown };

const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 1000;

interface Tries {
  /** Whether one may have been applied without our knowing. */
  unsure: boolean;
  /** Those that were asked for, by whichever try. */
  readonly attemptIds: string[];
  readonly existing: Set<string>;
  covered: Covered | undefined;
  readAll: boolean;
  /** How many documents were read for it. */
  reads: number;
  /** Why the latest failed; undefined where the job itself stands in the way. */
  cause: unknown;
}

/** Stands for a `Contended`, which is an error and so too dear to be made for every try. */
const CONTENDED = Symbol('contended');

/** Draws everything random of a new intent. `withinMs` is how long it is tried. */
export function newIntent(
  deps: ApplyDeps,
  wish: Pick<Intent, 'job' | 'op' | 'event'> & Partial<Intent>,
  withinMs: number,
): Intent {
  const sentAt = momentOf(deps.clock);
  return {
    id: deps.newId(),
    offer: undefined,
    random: deps.random(),
    sentAt,
    deadline: sentAt.monotonic + withinMs,
    held: undefined,
    heldRun: undefined,
    logs: [],
    reads: 0,
    ...wish,
  };
}

/**
 * Applies one intent to its job: reads, decides, commits under the version that was read, and looks
 * again when it lost. Losing is a value; only broken invariants and programming errors throw.
 */
export async function apply(deps: ApplyDeps, intent: Intent): Promise<Applied> {
  const tries: Tries = {
    unsure: false,
    attemptIds: [],
    existing: new Set(),
    covered: undefined,
    readAll: false,
    reads: intent.reads,
    cause: CONTENDED,
  };
  let held = intent.held;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const isInTime = deps.clock.monotonic() < intent.deadline;
    const done = await tryOnce(deps, intent, held, tries);
    if (done !== 'again') return done;
    held = undefined;
    // A store that answers is asked once more: this process may have stood still all the time.
    const once = isInTime && tries.cause === CONTENDED;
    if (!once && deps.clock.monotonic() >= intent.deadline) {
      const cause = tries.cause === CONTENDED ? new Contended(intent.job) : tries.cause;
      return { kind: tries.unsure ? 'unknown' : 'unavailable', cause };
    }
    await sleep(deps.clock, pauseMs * (0.5 + deps.random()));
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
  }
}

async function tryOnce(
  deps: ApplyDeps,
  intent: Intent,
  held: Held | undefined,
  tries: Tries,
): Promise<Applied | 'again'> {
  try {
    const usable = held && isReckonable(held, deps.clock, deps.timing.staleReadMs);
    if (!usable) tries.reads += 1;
    const now = usable ? aged(deps, held) : await look(deps, intent);
    return await decide(deps, intent, now, tries);
  } catch (error) {
    if (error instanceof UnknownOutcome) tries.unsure = true;
    else if (!(error instanceof StoreUnavailable)) throw error;
    tries.cause = error;
    return 'again';
  }
}

async function decide(
  deps: ApplyDeps,
  intent: Intent,
  now: Seen,
  tries: Tries,
): Promise<Applied | 'again'> {
  try {
    assertPast(intent, now);
    const own = tries.unsure ? await evidence(deps, intent, now, tries.attemptIds) : undefined;
    if (own !== undefined) return heard(deps, intent, own);
    const ctx = contextOf(deps, intent, now, tries);
    const stepped = step(now.record, intent.event, ctx);
    if (stepped.kind === 'nothing') {
      return { kind: 'nothing', held: heldOf(now), at: now.storeNow };
    }
    if (stepped.kind === 'refused') {
      return (tries.unsure ? await cancelledBefore(deps, intent, now) : undefined) ?? stepped;
    }
    return await commit(deps, intent, { now, stepped, ctx }, tries);
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    // Runs are read after the record: what contradicts it may be what somebody did meanwhile.
    const { version } = await deps.store.read(intent.job);
    if (version === now.version) throw error;
    tries.cause = CONTENDED;
    return 'again';
  }
}

async function look({ store, clock }: ApplyDeps, intent: Intent): Promise<Seen> {
  const askedAt = momentOf(clock);
  const loaded = await store.read(intent.job);
  if (loaded.problem !== undefined) throw new BrokenRecord(intent.job, loaded.problem);
  return { ...loaded, askedAt, at: momentOf(clock), from: undefined };
}

function seenNow(clock: Clock, loaded: Loaded): Seen {
  const now = momentOf(clock);
  return { ...loaded, askedAt: now, at: now, from: undefined };
}

/** A record held since an earlier reply, its store time moved on by the monotonic clock. */
function aged({ clock }: ApplyDeps, held: Held): Seen {
  const now = momentOf(clock);
  return { ...held, storeNow: nowOf(held, clock), askedAt: now, at: now, from: held };
}

/** A watermark in the future would keep the job from ever running again, without a word. */
function assertPast({ job }: Intent, { record, storeNow }: Seen): void {
  if (record === undefined || record.watermark <= storeNow) return;
  throw new BrokenRecord(job, `its watermark ${isoInstant(record.watermark)} lies in the future`);
}

function contextOf(deps: ApplyDeps, intent: Intent, now: Seen, tries: Tries): DecisionContext {
  return {
    now: now.storeNow,
    unsteady: now.unsteady,
    timing: deps.timing,
    build: deps.build,
    namespace: deps.namespace,
    random: intent.random,
    upSince: deps.upSince(),
    intentId: intent.id,
    existing: tries.existing,
    covered: tries.covered,
    offer: offerOf(intent, tries),
  };
}

/**
 * An earlier try may have been granted, and its lease be over by now: each try that can't rule that
 * out has an id of its own, or two attempts would go by one.
 */
function offerOf({ offer }: Intent, { unsure, attemptIds }: Tries): Offer | undefined {
  if (offer === undefined || !unsure) return offer;
  return { ...offer, attemptId: `${offer.attemptId}r${attemptIds.length}` };
}

async function commit(
  deps: ApplyDeps,
  intent: Intent,
  { now, stepped, ctx }: Decided,
  tries: Tries,
): Promise<Applied | 'again'> {
  if (now.record !== undefined && tries.covered === undefined) {
    const decided = { changes: stepped.runs, now: now.storeNow };
    tries.covered = await lookBeyond(deps, now.record, decided);
    if (tries.covered !== undefined) return 'again';
  }
  const known = new Map<string, Run | undefined>();
  for (const id of runsNeeded(stepped.runs, tries.readAll)) {
    // A run changes with its job's record only, so one held with it is as good as it is.
    const own = intent.heldRun?.id === id && now.from !== undefined && !tries.readAll;
    if (!own) tries.reads += 1;
    known.set(id, own ? intent.heldRun : await deps.store.getRun(id));
  }
  if (sinceMs(deps.clock, now.askedAt) > deps.timing.staleReadMs) {
    tries.cause = CONTENDED;
    return 'again';
  }
  const first = drawUp(intent, { now, stepped, ctx }, { known, reads: tries.reads });
  const granted = ({ stepped: { grant } }: Drawn): void => {
    if (grant !== undefined) tries.attemptIds.push(grant.attemptId);
  };
  granted(first);
  const anew = new Map<Commit, Drawn>();
  const again: Again = (loaded, runOf) => {
    const seen = seenNow(deps.clock, loaded);
    const drawn = drawAnew(
      deps,
      intent,
      { seen, ctx: contextOf(deps, intent, seen, tries) },
      runOf,
    );
    if (drawn === undefined) return undefined;
    granted(drawn);
    anew.set(drawn.commit, drawn);
    return drawn.commit;
  };
  const askedAt = momentOf(deps.clock);
  // Where an earlier try may stand already, that has to be looked for first.
  const committed = await deps.store.commit(first.commit, tries.unsure ? undefined : again);
  switch (committed.kind) {
    case 'ok': {
      const { instead } = committed;
      const drawn = (instead && anew.get(instead)) ?? first;
      return applied(deps, intent, { ...drawn, committed, askedAt });
    }
    case 'conflict':
      // It may be our own: a client that sends a commit twice by itself hears of the second.
      tries.unsure = true;
      tries.cause = CONTENDED;
      return 'again';
    case 'exists':
      // A manual run's id is its key's: the caller compares what stands there.
      if (intent.event.kind === 'manual' && committed.runIds.includes(intent.event.run.id)) {
        return { kind: 'refused', why: 'exists', runId: null };
      }
      tries.unsure = true;
      tries.cause = tries.existing.size > 0 ? undefined : CONTENDED;
      for (const id of committed.runIds) tries.existing.add(id);
      tries.covered = await coveredBeyond(deps, intent.job, now.record?.watermark ?? 0);
      return 'again';
    case 'missing':
      tries.cause = tries.readAll ? undefined : CONTENDED;
      tries.readAll = true;
      return 'again';
  }
}

interface Done extends Drawn {
  readonly committed: Extract<Committed, { kind: 'ok' }>;
  readonly askedAt: Moment;
}

function applied(
  { clock, observer }: ApplyDeps,
  { sentAt }: Intent,
  { stepped: { record, grant, runs: changes }, folded, committed, askedAt }: Done,
): Applied {
  const { version, storeNow, unsteady } = committed;
  const times = { storeNow, unsteady, askedAt, at: momentOf(clock) };
  const held = { record: stampJob(record, storeNow), version, ...times };
  const runs = new Map([...folded.after].map(([id, run]) => [id, stampRun(run, storeNow)]));
  const run = grant && runs.get(grant.runId);
  const granted = grant && run && { attemptId: grant.attemptId, run, held, sentAt };
  observer?.recorded({ record: held.record, ended: endedBy(changes, runs), granted: run });
  return { kind: 'applied', held, runs, granted };
}

/** Of a commit whose reply was lost only the run is known that it left its trace on. */
function heard({ observer }: ApplyDeps, { event }: Intent, own: Applied): Applied {
  if (observer === undefined || own.kind !== 'applied') return own;
  // A run that was only begun by it may have been ended by somebody else since.
  const ended = event.kind === 'finish' ? endedOf([...own.runs.values()]) : [];
  observer.recorded({ record: own.held.record, ended, granted: own.granted?.run });
  return own;
}

/** Others changed the job all the time, or everything took too long: nobody is at fault. */
export class Contended extends Error {
  override readonly name = 'Contended';

  constructor(job: string) {
    super(`others kept changing job "${job}", or the store was too slow to decide by`);
  }
}

/** A job's record can't be used: the job is set aside, all others go on. */
export class BrokenRecord extends Error {
  override readonly name = 'BrokenRecord';

  constructor(job: string, problem: string) {
    super(`the record of job "${job}" can't be used: ${problem}`);
  }
}
