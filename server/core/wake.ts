import { apply, BrokenRecord, newIntent, type Granted } from './apply.ts';
import type { Deps } from './deps.ts';
import { describeError } from './outcome.ts';
import type { JobRecord } from './records.ts';
import { registerJob } from './register.ts';
import { StoreUnavailable, UnknownOutcome, type LoadedJob } from './store.ts';
import { sleep, type Instant } from './time.ts';

/**
 * One wake-up, top to bottom. A trigger is a hint: whoever sends it, early, late, twice or forged,
 * it means "bring this job up to date as of now". So a duplicate finds nothing to do, a late one
 * catches up, and a missing one is made good by the next.
 *
 * The guarantee rests on one conditional write: what is due is decided by a pure function of the
 * job's record and the store's time, and the decision is committed under the version that was
 * read. Of two that decide at once one wins; the other looks again, and finds it decided.
 */

export interface Woken {
  /** Runs that were started, with the promise of their end being on record. */
  readonly started: readonly { readonly runId: string; readonly ended: Promise<void> }[];
  readonly outcome: WakeOutcome;
  /** The record as last seen; undefined if the job has none. */
  readonly record: JobRecord | undefined;
}

export type WakeOutcome = 'started' | 'nothing-due' | 'busy' | 'paused' | 'unsteady';

/** A wake-up could not do its work now: the asker may come again. */
export class WakeFailed extends Error {
  override readonly name = 'WakeFailed';
}

/** How long one commit of a wake-up is tried. */
const APPLY_WITHIN_MS = 10_000;
/** One wake starts at most this many runs of one job; the next one goes on. */
const STARTS_LIMIT = 100;

/** Brings one job up to date: starts what may start, until there is nothing left to grant. */
export async function wakeJob(deps: Deps, name: string): Promise<Woken> {
  const started: { runId: string; ended: Promise<void> }[] = [];
  let record: JobRecord | undefined;
  while (started.length < STARTS_LIMIT) {
    const turn = await claim(deps, name);
    record = turn.record;
    if (turn.granted !== undefined) {
      const ended = deps.runner.start(deps, turn.granted);
      started.push({ runId: turn.granted.run.id, ended });
    } else if (!turn.wrote && !(await waitForEarly(deps, record))) break;
  }
  return { started, outcome: outcomeOf(started.length, record), record };
}

interface Turn {
  readonly granted: Granted | undefined;
  readonly wrote: boolean;
  readonly record: JobRecord | undefined;
}

async function claim(deps: Deps, name: string): Promise<Turn> {
  const offer = deps.runner.reserve(deps, name);
  const wish = { job: name, op: 'claim', event: { kind: 'wake' }, offer } as const;
  let granted: Granted | undefined;
  try {
    const applied = await apply(deps, newIntent(deps, wish, APPLY_WITHIN_MS));
    if (applied.kind === 'applied') {
      granted = applied.granted;
      return { granted, wrote: true, record: applied.held.record };
    }
    if (applied.kind === 'nothing') return { granted, wrote: false, record: applied.record };
    if (applied.kind !== 'refused') {
      throw new WakeFailed(`could not wake job "${name}"`, { cause: applied.cause });
    }
    // Its record was deleted by hand: it is registered anew, from now on.
    await registerJob(deps, name);
    return { granted, wrote: false, record: undefined };
  } finally {
    if (granted === undefined) deps.runner.release(offer);
  }
}

/** A trigger may come a moment early: waits for an occurrence that is all but due. */
async function waitForEarly(deps: Deps, record: JobRecord | undefined): Promise<boolean> {
  const at = record?.nextActionAt ?? null;
  if (at === null) return false;
  const { storeNow } = await deps.store.time();
  const aheadMs = at - storeNow;
  if (aheadMs <= 0 || aheadMs > deps.timing.earlyMs) return false;
  await sleep(deps.clock, aheadMs);
  return true;
}

function outcomeOf(started: number, record: JobRecord | undefined): WakeOutcome {
  if (started > 0) return 'started';
  if (record === undefined) return 'nothing-due';
  if (record.paused !== null) return 'paused';
  return Object.keys(record.active).length > 0 ? 'busy' : 'nothing-due';
}

const PAGE = 25;
/** No wake-up goes on for ever: this many pages are more jobs than a registry may hold. */
const PAGES_LIMIT = 1000;

export interface WokenAll {
  readonly storeNow: Instant;
  readonly unsteady: string | null;
  readonly started: number;
}

/**
 * Brings all jobs up to date that are due or will be within `aheadMs`. A job that can't be handled
 * is set aside in plain sight and the others go on; jobs that this build does not know are left
 * alone.
 */
export async function wakeAll(deps: Deps, aheadMs: number): Promise<WokenAll> {
  let started = 0;
  let cursor: string | undefined;
  let storeNow: Instant | undefined;
  for (let page = 0; page < PAGES_LIMIT; page++) {
    const due = await deps.store.due({
      limit: PAGE,
      aheadMs,
      ...(cursor !== undefined && { cursor }),
    });
    storeNow ??= due.storeNow;
    if (due.unsteady !== null) return { storeNow, unsteady: due.unsteady, started };
    const woken = await Promise.all(due.items.map((item) => wakeOne(deps, item)));
    started += woken.reduce((sum, count) => sum + count, 0);
    cursor = due.cursor;
    if (cursor === undefined || deps.runner.draining) break;
  }
  return { storeNow: storeNow ?? 0, unsteady: null, started };
}

async function wakeOne(deps: Deps, item: LoadedJob): Promise<number> {
  try {
    if (item.problem !== undefined) throw new BrokenRecord(item.name, item.problem);
    if (!deps.registry.has(item.name)) return 0;
    return (await wakeJob(deps, item.name)).started.length;
  } catch (error) {
    if (isOutage(error)) throw error;
    await setAside(deps, item, error);
    return 0;
  }
}

const isOutage = (error: unknown): boolean =>
  error instanceof WakeFailed ||
  error instanceof StoreUnavailable ||
  error instanceof UnknownOutcome;

/** Puts a job that makes trouble aside for a while, so that it can't keep others from running. */
async function setAside(deps: Deps, { name, version }: LoadedJob, error: unknown): Promise<void> {
  const problem = describeError(error).message;
  deps.log('error', 'job_quarantined', { job: name, problem });
  if (version === undefined) return;
  const { storeNow } = await deps.store.time();
  const until = storeNow + deps.timing.quarantineMs;
  const { version: current = version } = await deps.store.read(name);
  await deps.store.quarantine({ name, version: current, until, problem });
}
