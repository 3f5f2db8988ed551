import type { JobRecord, LateResult, Lease } from '../../server/core/records.ts';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import { WakeFailed } from '../../server/core/wake.ts';
import { earliest, wrongInLeases } from './check-leases.ts';
import { isOver, wrongInRun } from './check-runs.ts';
import { reasonOf, type Live } from './handlers.ts';
import { Ledger } from './ledger.ts';
import type { SimulatedProcess } from './process.ts';
import { givenUp, slotsOf, type Seen } from './seen.ts';
import { POISON } from './setting.ts';
import type { World } from './world.ts';

/** Logged only where a job's record can't be used, or a rule of the product's own is broken. */
const BROKEN = ['attempt_broken', 'job_quarantined', 'define_failed', 'retire_failed'];

interface Granted {
  readonly lease: Lease;
  readonly attemptId: string;
  readonly process: SimulatedProcess;
  readonly slots: number;
  started: boolean;
  /** True time at which its lease was first seen marked for a cancel. */
  markedAt: number | undefined;
}

/**
 * Sees all that happens, and knows the invariants (docs/guarantees.md lists them). It is told; it never asks the
 * product what is right.
 */
export class Witness {
  readonly live = new Set<Live>();
  readonly ledgers = new Map<string, Ledger>();
  /** Runs that somebody asked to start beside others. */
  readonly beside = new Set<string>();
  readonly freed = new Set<string>();
  readonly #world: World;
  readonly #granted = new Map<string, Granted>();
  readonly #fences = new Map<string, number>();
  readonly #completed = new Set<string>();
  readonly #starts = new Map<string, number>();
  readonly #endedByOwner = new Set<string>();
  readonly #lost = new Set<string>();
  readonly #setAside = new Set<string>();
  readonly #attempts = new Set<string>();
  readonly #settled: Live[] = [];
  readonly #late: { readonly live: Live; readonly at: number }[] = [];
  readonly #tally = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  committed(seen: Seen): void {
    const { after } = seen;
    if (after.name === POISON) return;
    const wrong = this.#wrongIn(seen);
    if (wrong !== undefined) this.#world.fail(wrong);
  }

  #wrongIn(seen: Seen): string | undefined {
    const { after, commit, process, storeNow, before } = seen;
    const { name } = after;
    const ledger = this.ledgers.get(name) ?? new Ledger(name, this.#world);
    this.ledgers.set(name, ledger);
    const known = process.deps.registry.has(name);
    const retired = before !== undefined && before.retiredAt !== null;
    if (!known && !retired && commit.op !== 'retire') {
      return `${commit.op} of ${name} by ${process.name}, which does not know the job`;
    }
    const aside = this.#setAside.has(name);
    const early = !aside && commit.op === 'claim' && storeNow < (before?.nextActionAt ?? -Infinity);
    if (early) return `I16 ${process.name} writes to ${name} when nothing is due`;
    return (
      wrongInLeases(seen, this.#fences.get(name) ?? 0) ??
      this.#wrongRuns(seen) ??
      this.#noteLeases(seen) ??
      ledger.wrongIn(seen) ??
      this.#wrongCounters(seen) ??
      this.#wrongTime(seen, ledger)
    );
  }

  #wrongRuns({ runs, after, before }: Seen): string | undefined {
    for (const one of runs) {
      if (one.after === undefined) return `I12 ${one.id} is gone`;
      const wrong = wrongInRun(one.before, one.after, { attempts: this.#mostAttempts(after.name) });
      if (wrong !== undefined) return wrong;
      if (one.after.state !== 'succeeded') continue;
      const last = one.after.attempts.at(-1);
      const held = last && before?.active[last.attemptId]?.fence === last.fence;
      if (!held || !this.#completed.has(`${after.name}#${last.fence}`))
        return `I8 ${one.id} succeeded by nobody`;
    }
    return undefined;
  }

  #mostAttempts(job: string): number {
    const all = this.#world.setting.builds.flat().filter(({ name }) => name === job);
    return Math.max(...all.map(({ retry, onLost }) => retry?.attempts ?? (onLost ? 2 : 1)));
  }

  #noteLeases(seen: Seen): string | undefined {
    const { before, after, process, commit } = seen;
    for (const [attemptId, lease] of Object.entries(after.active)) {
      if (before?.active[attemptId] !== undefined) continue;
      if (lease.beside && !this.beside.has(lease.runId)) return `${lease.runId} runs beside others`;
      if (this.#attempts.has(attemptId)) return `I6 ${lease.runId} has ${attemptId} once more`;
      this.#attempts.add(attemptId);
      const slots = slotsOf(after);
      const key = `${after.name}#${lease.fence}`;
      this.#granted.set(key, {
        lease,
        attemptId,
        process,
        slots,
        started: false,
        markedAt: undefined,
      });
      this.#fences.set(after.name, lease.fence);
      this.#world.count('grants');
      if (after.paused !== null && lease.trigger === 'schedule' && lease.attempt === 1) {
        return `I18 ${lease.runId} starts while the job is paused`;
      }
    }
    for (const lease of Object.values(after.active)) {
      const granted = this.#granted.get(`${after.name}#${lease.fence}`);
      if (granted !== undefined && lease.cancel !== null) granted.markedAt ??= this.#world.now;
    }
    const lost = new Set(givenUp(seen).map(({ attemptId }) => attemptId));
    for (const [attemptId, lease] of Object.entries(before?.active ?? {})) {
      if (after.active[attemptId] !== undefined) continue;
      if (commit.op === 'free') this.freed.add(lease.runId);
      const slow = this.#slowCancel(`${after.name}#${lease.fence}`);
      if (slow !== undefined) return slow;
      if (!lost.has(attemptId)) {
        if (commit.op === 'finish') this.#endedByOwner.add(attemptId);
        continue;
      }
      const key = `${after.name}#${lease.fence}`;
      const writing = [...this.live].find((one) => `${one.job}#${one.fence}` === key);
      if (writing?.heeds && this.#mayWrite(writing)) {
        return `I5 ${lease.runId} is given up while its handler may still write`;
      }
      this.#lost.add(key);
      this.#world.count('leases that ran out');
      const granted = this.#granted.get(key);
      if (granted?.started === false && granted.process.alive) this.#world.count('unattended');
    }
    return undefined;
  }

  /** I15: whom nothing hindered has heard of a cancel within a lease, its grace and a tick. */
  #slowCancel(key: string): string | undefined {
    const granted = this.#granted.get(key);
    const live = [...this.live, ...this.#settled].find((one) => `${one.job}#${one.fence}` === key);
    if (granted?.markedAt === undefined || live?.heeds !== true) return undefined;
    const { process, lease, markedAt } = granted;
    const hindered = Math.max(
      process.storeFailedAt,
      process.stillUntil,
      process.machine.lastAwakeAt,
    );
    if (!process.alive || hindered >= markedAt) return undefined;
    const tookMs = this.#world.now - markedAt;
    const { tickMs } = this.#world.timing;
    if (tookMs <= lease.leaseMs + lease.graceMs + tickMs + 1000) return undefined;
    return `I15 ${lease.runId} was cancelled ${Math.round(tookMs)} ms before it ended`;
  }

  /** Totals are what history adds up to, however often a commit was tried. */
  #wrongCounters({ runs, after }: Seen): string | undefined {
    for (const { before, after: run } of runs) {
      if (run === undefined || !isOver(run.state) || before?.state === run.state) continue;
      const key = `${after.name} ${run.state}`;
      this.#tally.set(key, (this.#tally.get(key) ?? 0) + (run.range?.count ?? 1));
    }
    for (const [state, count] of Object.entries(after.counters)) {
      const tally = this.#tally.get(`${after.name} ${state}`) ?? 0;
      if (count !== tally) return `${after.name} counts ${count} ${state}, not ${tally}`;
    }
    return wrongDays(after);
  }

  #wrongTime({ after, storeNow }: Seen, ledger: Ledger): string | undefined {
    const soonest = earliest(after, ledger.schedules, storeNow);
    if (soonest === Infinity || (after.nextActionAt ?? Infinity) <= soonest) return undefined;
    const by = (after.nextActionAt ?? Infinity) - soonest;
    return `I14 ${after.name} would be woken ${by} ms later than something can happen`;
  }

  /** A record of earlier came back: what it says of then is not held against anybody. */
  restored(record: JobRecord, current: JobRecord): void {
    const { name } = record;
    this.ledgers.get(name)?.restored(record, this.#world.storeNow);
    for (const [state, count] of Object.entries(record.counters)) {
      this.#tally.set(`${name} ${state}`, count);
    }
    for (const state of Object.keys(current.counters)) {
      if (!(state in record.counters)) this.#tally.set(`${name} ${state}`, 0);
    }
  }

  /** A job that is set aside is due when that is over; whoever comes before may put it right. */
  setAside(job: string): void {
    this.#setAside.add(job);
  }

  handlerStarted(live: Live): void {
    const { job, runId, fence, process } = live;
    this.#world.say(() => `${process.name} handler of ${runId} attempt ${live.attempt} starts`);
    const granted = this.#granted.get(`${job}#${fence}`);
    if (granted === undefined || granted.process !== process || granted.started) {
      return this.#world.fail(`a handler of ${runId} starts without a grant of its own`);
    }
    granted.started = true;
    this.live.add(live);
    const starts = (this.#starts.get(runId) ?? 0) + 1;
    this.#starts.set(runId, starts);
    const definitions = this.#world.setting.builds.flat().filter(({ name }) => name === job);
    const once = definitions.every(
      ({ onLost, retry }) => onLost !== 'retry' && (retry?.attempts ?? 1) === 1,
    );
    if (once && starts > 1) this.#world.fail(`I9 the handler of ${runId} starts again`);
  }

  handlerEnded(live: Live, threw: boolean): void {
    const { process, runId } = live;
    this.#world.say(() => `${process.name} handler of ${runId} ${threw ? 'throws' : 'returns'}`);
    this.live.delete(live);
    if (this.#lost.has(`${live.job}#${live.fence}`)) this.#late.push({ live, at: this.#world.now });
    this.#settled.push(live);
    if (this.#settled.length > 50) this.#settled.shift();
    if (!threw) this.#completed.add(`${live.job}#${live.fence}`);
  }

  /** I5: no two may write at once. Told after each event, when all its consequences are there. */
  afterEvent(): void {
    if (this.live.size < 2) return;
    const at = new Map<string, Live[]>();
    for (const live of this.live) {
      const { lease } = this.#granted.get(`${live.job}#${live.fence}`) ?? {};
      if (lease?.beside || !this.#mayWrite(live)) continue;
      at.set(live.job, [...(at.get(live.job) ?? []), live]);
    }
    for (const [job, all] of at) {
      const slots = all.map(({ fence }) => this.#granted.get(`${job}#${fence}`)?.slots ?? 1);
      if (all.length <= Math.max(...slots)) continue;
      const who = all.map(({ runId, process }) => `${runId} on ${process.name}`);
      this.#world.fail(`I5 ${who.join(' and ')} overlap`);
    }
  }

  /**
   * Whether the code of a handler may still do something. One that stands still can't; and in the
   * instant in which it goes on its signal comes first, which is why handlers look at it.
   */
  #mayWrite(live: Live): boolean {
    const { process, signal, heeds, runId } = live;
    if (!process.alive || process.goesOnNow || this.freed.has(runId)) return false;
    if (heeds) return !signal.aborted;
    return reasonOf(live) !== 'lease_lost' && !this.#lost.has(`${live.job}#${live.fence}`);
  }

  ended(process: SimulatedProcess): void {
    for (const live of this.live) if (live.process === process) this.live.delete(live);
  }

  /** What stops by itself leaves no lease and no file behind. */
  drained(process: SimulatedProcess, { left, since }: { left: number; since: number }): void {
    this.#world.count('drained');
    if (left > 0 || !process.alive) return;
    if (process.openScratch.size > 0) this.#world.fail(`${process.name} leaves files behind`);
    if (process.storeFailedAt >= since) return;
    for (const { lease, attemptId, started } of this.#granted.values()) {
      if (lease.owner !== process.owner || this.#endedByOwner.has(attemptId)) continue;
      // One that it never learned of, because the store kept it from it, is found when it ends.
      if (!started) continue;
      void this.#world.store.read(jobOf(lease.runId)).then(({ record }) => {
        if (record?.active[attemptId] === undefined) return;
        this.#world.fail(`${process.name} drained, but keeps its lease of ${lease.runId}`);
      });
    }
  }

  /** I17: who ended its own attempt is never told that somebody else did. */
  lateResult(process: SimulatedProcess, runId: string, late: LateResult): void {
    if (!this.#endedByOwner.has(late.attemptId)) return;
    this.#world.fail(`I17 ${process.name} takes its own end of ${runId} for another's`);
  }

  /** At the end: what a handler came to after its lease was lost is on record all the same. */
  async lateResultsAreKept(): Promise<void> {
    const { now, timing } = this.#world;
    for (const { live, at } of this.#late) {
      const { process, runId } = live;
      if (at > now - timing.leaseMs) continue;
      const run = process.alive ? await this.#world.store.getRun(runId) : undefined;
      if (run === undefined || run.lateResult !== null) continue;
      this.#world.fail(`I12 ${process.name} keeps no late result of ${runId}`);
    }
  }

  logged(
    process: SimulatedProcess,
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    const broken = BROKEN.includes(event);
    if (!broken || fields['job'] === POISON) return;
    this.#world.fail(`${process.name}: ${event}: ${JSON.stringify(fields)}`);
  }

  /** A call of the product's came to an error: some are to be expected. */
  threw(process: SimulatedProcess, error: unknown): void {
    const expected = [WakeFailed, StoreUnavailable, UnknownOutcome];
    if (expected.some((kind) => error instanceof kind)) return;
    this.#world.fail(`${process.name} throws ${String(error)}`);
  }
}

/** By day the same is counted; no life has as many days as a record keeps. */
function wrongDays({ name, days = [], counters }: JobRecord): string | undefined {
  for (const [kind, states] of Object.entries(KINDS)) {
    const all = states.reduce((sum, state) => sum + (counters[state] ?? 0), 0);
    const byDay = days.reduce((sum, day) => sum + day[kind as keyof typeof KINDS], 0);
    if (byDay !== all) return `${name} counts ${byDay} ${kind} by day, not ${all}`;
  }
  return undefined;
}

const KINDS = {
  good: ['succeeded'],
  bad: ['failed', 'timed_out', 'lost', 'missed'],
  quiet: ['cancelled', 'skipped'],
} as const;

const jobOf = (runId: string): string => runId.split(/[@!]/)[0] ?? '';
