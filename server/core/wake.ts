import { apply, BrokenRecord, Contended, newIntent, type Granted } from './apply.ts';
import { PROCESS, type Carrier } from './carrier.ts';
import type { Deps } from './deps.ts';
import { momentOf, nowOf, type Held } from './held.ts';
import { describeError } from './outcome.ts';
import type { JobRecord } from './records.ts';
import { registerJob } from './register.ts';
import {
  priceOf,
  StoreUnavailable,
  UnknownOutcome,
  type LoadedJob,
  type StoreTime,
} from './store.ts';
import { sleep, sleepExactly, type Instant } from './time.ts';

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
  /** How long the first occurrence that it started had been due; 0 where it started none. */
  readonly lagMs: number;
  /** The store's time of its last look; null where it got none. */
  readonly storeNow: Instant | null;
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

/** How one job is woken. */
export interface Waking {
  /** The record as somebody has just read it, which saves reading it again. */
  readonly seen?: Held;
  /** Whether a wake-up that comes a moment early waits for the occurrence; it does. */
  readonly waits?: boolean;
  /** What carries the runs that start; this process, unless said otherwise. */
  readonly carrier?: Carrier;
}

/** Brings one job up to date: starts what may start, until there is nothing left to grant. */
export async function wakeJob(
  deps: Deps,
  name: string,
  { seen, waits = true, carrier = PROCESS }: Waking = {},
): Promise<Woken> {
  const started: { runId: string; ended: Promise<void> }[] = [];
  let lagMs = 0;
  let held = seen;
  let waitedFor: Instant | undefined;
  while (started.length < STARTS_LIMIT) {
    const reads = held !== undefined && held === seen ? 1 : 0;
    const turn = await claim(deps, name, { held, reads, carrier });
    held = turn.held;
    if (turn.granted !== undefined) {
      const ended = deps.runner.start(deps, turn.granted, carrier);
      started.push({ runId: turn.granted.run.id, ended });
      lagMs = Math.max(lagMs, lagOf(turn.granted));
    } else if (!turn.wrote) {
      const early = waits && started.length === 0 ? earlyOf(deps, turn) : undefined;
      // Only for the one it came for: of a job of every second the next is always a moment away.
      if (early === undefined || early.at > (waitedFor ?? early.at)) break;
      waitedFor = early.at;
      await sleepExactly(deps.clock, early.aheadMs);
      // Looks again, rather than trust its own clock for the last moment.
      held = undefined;
    }
  }
  const outcome = outcomeOf(started.length, held?.record);
  return { started, outcome, lagMs, storeNow: held?.storeNow ?? null, record: held?.record };
}

const lagOf = ({ run: { trigger, scheduledAt, attempts }, held: { storeNow } }: Granted): number =>
  trigger === 'schedule' && attempts.length === 1 ? storeNow - (scheduledAt ?? storeNow) : 0;

interface Turn {
  readonly granted: Granted | undefined;
  readonly wrote: boolean;
  readonly held: Held | undefined;
  /** The store's time by which there was nothing to do, where that is so. */
  readonly idleAt?: Instant;
}

interface Claim {
  readonly held: Held | undefined;
  /** How many documents were read for it beforehand. */
  readonly reads: number;
  readonly carrier: Carrier;
}

async function claim(deps: Deps, name: string, { held, reads, carrier }: Claim): Promise<Turn> {
  const offer = deps.runner.reserve(deps, name, { carrier });
  const wish = { job: name, op: 'claim', event: { kind: 'wake' }, offer, held, reads } as const;
  let granted: Granted | undefined;
  try {
    const applied = await apply(deps, newIntent(deps, wish, APPLY_WITHIN_MS));
    if (applied.kind === 'applied') {
      granted = applied.granted;
      deps.runner.heed(applied.held.record);
      return { granted, wrote: true, held: applied.held };
    }
    if (applied.kind === 'nothing') {
      return { granted, wrote: false, held: applied.held, idleAt: applied.at };
    }
    if (applied.kind !== 'refused') {
      throw new WakeFailed(`could not wake job "${name}"`, { cause: applied.cause });
    }
    // Its record was deleted by hand: it is registered anew, from now on.
    if (applied.why === 'no-such-job') await registerJob(deps, name);
    return { granted, wrote: false, held: undefined };
  } finally {
    if (granted === undefined) deps.runner.release(offer, carrier);
  }
}

/**
 * When the job is next due, where that was a moment ahead when it was looked at: a trigger may come
 * a little early. It may be due by now.
 */
function earlyOf(
  { clock, timing }: Deps,
  { held, idleAt }: Turn,
): { readonly at: Instant; readonly aheadMs: number } | undefined {
  const at = held?.record.nextActionAt ?? null;
  if (held === undefined || held.unsteady !== null || at === null) return undefined;
  if (idleAt === undefined || at <= idleAt || at - idleAt > timing.earlyMs) return undefined;
  return { at, aheadMs: Math.max(0, at - nowOf(held, clock)) };
}

function outcomeOf(started: number, record: JobRecord | undefined): WakeOutcome {
  if (started > 0) return 'started';
  if (record === undefined) return 'nothing-due';
  if (record.paused !== null) return 'paused';
  return Object.keys(record.active).length > 0 ? 'busy' : 'nothing-due';
}

/** So many claims at once; of the next page's each waits behind the ends of those before it. */
const PAGE = { free: 100, billed: 25 } as const;
/** No wake-up goes on for ever: this many pages are more jobs than a registry may hold. */
const PAGES_LIMIT = 1000;

export interface WokenAll {
  readonly storeNow: Instant;
  readonly unsteady: string | null;
  readonly started: number;
  /** How long the first of what was due had been due; 0 where nothing was. */
  readonly lagMs: number;
  /** Jobs that are due still, since nothing here could carry their runs. */
  readonly left: readonly JobRecord[];
}

/** Which jobs a wake-up looks at. */
export interface Reach {
  /** Those due by so much later than now, too. */
  readonly aheadMs: number;
  /**
   * All of them even when this process has no room to run more: some may only need to be judged.
   */
  readonly thorough: boolean;
  /** What carries the runs that start; this process, unless said otherwise. */
  readonly carrier?: Carrier;
}

/**
 * Brings all jobs up to date that are due. A job that can't be handled is set aside in plain sight
 * and the others go on; jobs that this build does not know are left alone.
 */
export async function wakeAll(
  deps: Deps,
  { aheadMs, thorough, carrier = PROCESS }: Reach,
): Promise<WokenAll> {
  let [started, lagMs] = [0, 0];
  const left: JobRecord[] = [];
  let cursor: string | undefined;
  let storeNow: Instant | undefined;
  for (let page = 0; page < PAGES_LIMIT; page++) {
    const more = cursor === undefined ? {} : { cursor };
    const askedAt = momentOf(deps.clock);
    const due = await deps.store.due({ limit: PAGE[priceOf(deps.store)], aheadMs, ...more });
    const read = { ...due, askedAt, at: momentOf(deps.clock) };
    storeNow ??= due.storeNow;
    if (due.unsteady !== null) return { storeNow, unsteady: due.unsteady, started, lagMs, left };
    const waits = aheadMs > 0;
    const waking = { waits, carrier };
    const woken = await Promise.all(due.items.map((item) => wakeOne(deps, item, read, waking)));
    left.push(...woken.flatMap((one) => one.left ?? []));
    lagMs = Math.max(lagMs, ...due.items.map((item) => waitedMs(deps, item, due.storeNow)));
    started += woken.reduce((sum, one) => sum + one.started, 0);
    const outage = woken.find((one) => one.outage !== undefined)?.outage;
    if (outage !== undefined) throw outage;
    cursor = due.cursor;
    if (cursor === undefined || (!thorough && deps.runner.turnsAway())) break;
    // With a store in this process nothing above waits: lets timers and requests have their turn.
    await sleep(deps.clock, 0);
  }
  return { storeNow: storeNow ?? 0, unsteady: null, started, lagMs, left };
}

const waitedMs = (deps: Deps, { record }: LoadedJob, now: Instant): number =>
  record !== undefined && isOurs(deps, record) ? now - (record.nextActionAt ?? now) : 0;

type Read = Pick<Held, 'askedAt' | 'at' | keyof StoreTime>;

/** What became of one job; its own trouble is not the others'. */
interface WokenOne {
  readonly started: number;
  /** Its record, where it is due still. */
  readonly left?: JobRecord;
  /** The store did not do its part: there is no use in asking it for more just now. */
  readonly outage?: unknown;
}

async function wakeOne(
  deps: Deps,
  item: LoadedJob,
  read: Read,
  waking: Pick<Waking, 'waits' | 'carrier'>,
): Promise<WokenOne> {
  const { name, record, version, problem } = item;
  try {
    if (problem !== undefined) throw new BrokenRecord(name, problem);
    if (record === undefined || version === undefined || !isOurs(deps, record)) {
      return { started: 0 };
    }
    const { storeNow, unsteady, askedAt, at } = read;
    const seen = { record, version, storeNow, unsteady, askedAt, at };
    const { started, record: left } = await wakeJob(deps, name, { seen, ...waking });
    const isDue = left !== undefined && (left.nextActionAt ?? Infinity) <= storeNow;
    return { started: started.length, ...(isDue && { left }) };
  } catch (error) {
    if (isOutage(error)) return { started: 0, outage: error };
    return await setAside(deps, item, error).then(
      () => ({ started: 0 }),
      (outage: unknown) => ({ started: 0, outage }),
    );
  }
}

/**
 * A job of this build; or one that left the code, of which a lost lease may be left to be judged.
 * Any other job is some other build's to look after.
 */
const isOurs = ({ registry, namespace }: Deps, record: JobRecord): boolean =>
  record.namespace === namespace && (registry.has(record.name) || record.retiredAt !== null);

/** A wake-up that failed for no fault of the store's is the job's own trouble. */
const isOutage = (error: unknown): boolean =>
  (error instanceof WakeFailed && error.cause !== undefined && !isContended(error)) ||
  error instanceof StoreUnavailable ||
  error instanceof UnknownOutcome;

const isContended = (error: unknown): boolean =>
  error instanceof WakeFailed && error.cause instanceof Contended;

/** Puts a job that makes trouble aside for a while, so that it can't keep others from running. */
async function setAside(deps: Deps, item: LoadedJob, error: unknown): Promise<void> {
  const { name, version, setAside: before } = item;
  const problem = describeError(error).message;
  const contended = isContended(error);
  if (contended) deps.log('warn', 'job_contended', { job: name, problem });
  else deps.log('error', 'job_quarantined', { job: name, problem });
  if (version === undefined) return;
  const { storeNow } = await deps.store.time();
  const until = storeNow + (contended ? deps.timing.tickMs : deps.timing.quarantineMs);
  const { version: current = version } = await deps.store.read(name);
  const won = await deps.store.quarantine({ name, version: current, until, problem });
  if (won && !contended && before === undefined) deps.observer?.setAside(name, problem);
}
