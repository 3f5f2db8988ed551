import { Aborted, WHY, watchfulSignal, type AbortReason } from './abort.ts';
import { apply, newIntent, type Applied, type Granted } from './apply.ts';
import { ENDING_MS, type Carrier } from './carrier.ts';
import { inTheNameOf, type Culprit } from './culprit.ts';
import type { Deps, Scratch } from './deps.ts';
import { callHandler, type Result } from './handler.ts';
import { endingOf } from './ending-of.ts';
import type { Held } from './held.ts';
import { FORCE_AFTER_MS, IsolatedHandler } from './isolate.ts';
import type { Job } from './job.ts';
import { keepLateResult } from './late-result.ts';
import { after, LeaseClock } from './lease-clock.ts';
import { LogBuffer } from './log-buffer.ts';
import type { LoopWatch } from './loop-watch.ts';
import { describeError } from './outcome.ts';
import type { Lease, Note, Progress, Run, RunError } from './records.ts';
import { Scrubber } from './secrets/scrubber.ts';
import { bareEnding, type Ending } from './settle.ts';
import { taskOf } from './task.ts';
import { secondsText, sleep, STAMP, type Cancel } from './time.ts';

/** Where an attempt was put. */
interface Placed {
  readonly carrier: Carrier;
  readonly loop: LoopWatch;
  /** Nothing may start any more, so the attempt is handed back at once. */
  readonly tooLate: boolean;
}

/**
 * One attempt: runs the handler, keeps the lease, and puts the end on record. The attempt judges
 * its own lease by both its clocks from before the request for it left, so that it stops
 * before anybody else may think it dead.
 */
export class Execution implements Culprit {
  readonly label: string;
  readonly runId: string;
  readonly attemptId: string;
  readonly #deps: Deps;
  readonly #job: Job | undefined;
  readonly #run: Run;
  readonly #lease: Lease;
  readonly #abort = new AbortController();
  readonly #log: LogBuffer;
  readonly #scrubber = new Scrubber();
  readonly #scratch: Scratch;
  readonly #loop: LoopWatch;
  readonly #carrier: Carrier;
  readonly #notes: Note[] = [];
  readonly #done: Promise<void>;
  #held: Held | undefined;
  #heldRun: Run;
  readonly #leaseClock: LeaseClock;
  #isolated: IsolatedHandler | undefined;
  #reason: AbortReason | undefined;
  #stray: RunError | undefined;
  #progress: Progress | null = null;
  #renewals = 0;
  #settled = false;
  #renewing: Promise<void> | undefined;
  readonly #timers = new Set<Cancel>();

  constructor(deps: Deps, granted: Granted, { carrier, loop, tooLate }: Placed) {
    const lease = granted.held.record.active[granted.attemptId];
    if (lease === undefined) throw new Error(`attempt ${granted.attemptId} was not granted`);
    this.#deps = deps;
    this.#loop = loop;
    this.#carrier = carrier;
    this.#run = granted.run;
    this.#heldRun = granted.run;
    this.#held = granted.held;
    this.#lease = lease;
    this.label = granted.run.job;
    this.runId = granted.run.id;
    this.attemptId = granted.attemptId;
    this.#job = deps.registry.get(granted.run.job);
    this.#log = new LogBuffer(deps, {
      runId: this.runId,
      attempt: lease.attempt,
      scrubber: this.#scrubber,
      mayWrite: () => this.#reason !== 'lease_lost' && !this.#leaseClock.isOver(),
    });
    this.#scratch = deps.scratch(granted.attemptId);
    const ends = after(granted.sentAt, lease.leaseMs - lease.graceMs);
    this.#leaseClock = new LeaseClock(deps.clock, ends);
    this.#done = this.#go(tooLate);
  }

  /** Whether its handler is in a worker, and can't block us here. */
  get isolated(): boolean {
    return (this.#job?.isolate ?? null) !== null;
  }

  /** Resolves when the end is on record, or can't be put there. Never rejects. */
  done(): Promise<void> {
    return this.#done;
  }

  /** Asks the handler to stop; the first reason stands. */
  abort(reason: AbortReason): void {
    if (this.#reason !== undefined || this.#settled) return;
    if (this.#isolated?.hasReturned === true) return;
    this.#reason = reason;
    const { timeoutMs } = this.#job?.spec ?? { timeoutMs: 0 };
    const detail = reason === 'timeout' ? `${WHY.timeout} of ${timeoutMs} ms` : WHY[reason];
    this.#log.system('warn', `asked to stop: ${detail}`);
    this.#isolated?.abort(reason, detail);
    // What listens to the signal is the handler's, whoever it is that aborts it.
    inTheNameOf(this, () => this.#abort.abort(new Aborted(reason, detail)));
    const forceMs = this.isolated ? this.#forceAfter(reason, detail) : 0;
    this.#later(forceMs + OVERDUE_AFTER_MS, () => this.#overdue(detail));
    const { runner } = this.#deps;
    if (runner.replaceable) this.#later(forceMs + ENDING_MS, () => this.#giveUp(detail));
  }

  /** Of an isolated handler that goes on nothing is left before anybody may take its place. */
  #forceAfter(reason: AbortReason, detail: string): number {
    const { graceMs } = this.#lease;
    const ms = reason === 'lease_lost' ? Math.min(FORCE_AFTER_MS, graceMs) : FORCE_AFTER_MS;
    this.#later(ms, () => {
      const why = `${detail}; it had not stopped ${secondsText(ms)} later, and was ended by force`;
      this.#log.system('error', why);
      this.#isolated?.force(why);
    });
    return ms;
  }

  /** An error of the handler's that did not come through its promise: the attempt fails by it. */
  fail(error: unknown, how: string): void {
    const described = describeError(error, this.#scrubber.text);
    const stray = { ...described, message: `${how}: ${described.message}` };
    if (this.#settled) return void this.#keepLate(bareEnding('failed', stray));
    this.#stray ??= stray;
    this.#log.system('error', stray.message);
    this.abort('failed');
  }

  /** The event loop stood still while this attempt ran. */
  blocked(ms: number, others: readonly string[]): void {
    const blame = others.length === 0 ? '' : ` (it, or one of: ${others.join(', ')})`;
    this.note(`blocked the event loop for ${secondsText(ms)}: use isolate${blame}`);
  }

  note(text: string): void {
    if (this.#notes.length < NOTES_LIMIT) this.#notes.push({ at: STAMP, text });
  }

  async #go(tooLate: boolean): Promise<void> {
    const { log } = this.#deps;
    if (tooLate || this.#leaseClock.isOver()) {
      this.#settled = true;
      // Learned too late that it was granted: nothing was started, so it is handed back.
      const message = 'it was granted too late to be started, and handed back: no handler ran';
      return this.#finish(bareEnding('interrupted', { name: 'NotStarted', message, stack: null }));
    }
    const fields = { job: this.label, run: this.runId, attempt: this.#lease.attempt };
    const trace = this.#run.traceparent;
    log('info', 'attempt_started', { ...fields, trace });
    if (this.#lease.cancel !== null) this.abort(this.#lease.cancel.why);
    if (this.#job !== undefined) {
      const timeoutMs = this.#held?.record.spec.timeoutMs ?? this.#job.spec.timeoutMs;
      // Another build's definition may give more time than there is before the request ends.
      this.#later(Math.min(timeoutMs, this.#carrier.leftMs()), () => this.abort('timeout'));
    }
    this.#scheduleRenewal();
    this.#watchLease();
    this.#log.start();
    const ending = await this.#runHandler();
    this.#settled = true;
    for (const cancel of this.#timers) cancel();
    this.#loop.check();
    await this.#scratch.remove();
    await this.#renewing;
    await this.#finish(ending);
    log(ending.outcome === 'succeeded' ? 'info' : 'warn', 'attempt_ended', {
      ...fields,
      trace,
      outcome: ending.outcome,
      error: ending.error?.message,
    });
  }

  /** Runs the handler to its end, whatever it does, and says what that came to. */
  async #runHandler(): Promise<Ending> {
    const result = await this.#call();
    // A promise that the handler left behind rejects within this turn: it counts as the handler's.
    await sleep(this.#deps.clock, 0);
    const [stray, reason] = [this.#stray, this.#reason];
    return endingOf({ result, stray, reason, signal: this.#abort.signal });
  }

  async #call(): Promise<Result> {
    const { clock, isolate } = this.#deps;
    const [job, log, scrubber, scratch] = [this.#job, this.#log, this.#scrubber, this.#scratch];
    const onProgress = (progress: Progress): void => {
      this.#progress = progress;
      log.progress(progress);
    };
    const belongings = { clock, log, scrubber, scratch, onProgress };
    try {
      const of = { run: this.#run, lease: this.#lease, record: this.#held?.record };
      const task = taskOf(this.#deps, of);
      const { memoryMb } = job?.isolate ?? {};
      if (memoryMb !== undefined) {
        const lease = { ends: this.#leaseClock.ends, graceMs: this.#lease.graceMs };
        const isolated = new IsolatedHandler(isolate, { task, memoryMb, lease }, belongings);
        this.#isolated = isolated;
        const { reason } = this.#abort.signal;
        if (reason instanceof Aborted) isolated.abort(reason.reason, reason.message);
        return await isolated.result;
      }
      const signal = watchfulSignal(this.#abort, () => this.checkLease());
      const around = {
        ...belongings,
        signal,
        log: log.forHandler(),
        scratch: () => scratch.path(),
      };
      return await inTheNameOf(this, () => callHandler(job, task, around));
    } catch (error) {
      return { output: null, error: describeError(error, scrubber.text) };
    }
  }

  #later(ms: number, call: () => void): void {
    const cancel = this.#deps.clock.after(ms, () => {
      this.#timers.delete(cancel);
      if (!this.#settled) call();
    });
    this.#timers.add(cancel);
  }

  /** Still at work although it was asked to stop: said aloud, and its slot stays held. */
  #overdue(detail: string): void {
    const { job, id: run } = this.#run;
    this.note(`${detail}, but its handler has not stopped: its slot stays held until it does`);
    this.#deps.log('error', 'handler_overdue', { job, run, detail });
    this.#deps.observer?.overdue(this.#run, detail);
    this.#renewNow();
  }

  /** By now its request is answered; the process takes no more, and ends when it can. */
  #giveUp(detail: string): void {
    const { job, id: run } = this.#run;
    this.#deps.log('error', 'process_given_up', { job, run, detail });
    this.#deps.runner.giveUpOn(this);
  }

  #scheduleRenewal(): void {
    const spread = 0.9 + 0.2 * this.#deps.random();
    this.#later((this.#lease.leaseMs / 3) * spread, () => {
      this.#renewNow();
      this.#scheduleRenewal();
    });
  }

  #renewNow(): void {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
  }

  /** A beat. Its reply tells of a cancel, too: a conflict means that somebody wrote to the job. */
  async #renew(): Promise<void> {
    if (this.#reason === 'lease_lost') return;
    const [note = null] = this.#notes;
    const intent = newIntent(
      this.#deps,
      {
        job: this.label,
        op: 'renew',
        event: { kind: 'renew', attemptId: this.attemptId, note },
        held: this.#held,
        heldRun: this.#heldRun,
      },
      Math.max(0, this.#leaseClock.leftMs()),
    );
    const applied = await apply(this.#deps, intent).catch((error: unknown) => this.#broken(error));
    if (applied?.kind === 'refused') return this.abort('lease_lost');
    if (applied?.kind !== 'applied') return;
    this.#renewals += 1;
    if (note !== null) this.#notes.shift();
    this.#learn(applied);
    // A beat whose own deadline passed while it was out does not count: a late reply extends
    // nothing.
    if (this.#leaseClock.isOver()) return;
    const { leaseMs, graceMs } = this.#lease;
    this.#leaseClock.ends = after(intent.sentAt, leaseMs - graceMs);
    this.#isolated?.extend(this.#leaseClock.ends);
    const cancel = applied.held.record.active[this.attemptId]?.cancel;
    if (cancel) this.abort(cancel.why);
  }

  #learn(applied: Extract<Applied, { kind: 'applied' }>): void {
    this.#held = applied.held;
    this.#heldRun = applied.runs.get(this.runId) ?? this.#heldRun;
  }

  #broken(error: unknown): undefined {
    const { job, id: run } = this.#run;
    this.#deps.log('error', 'attempt_broken', { job, run, error: describeError(error).message });
    return undefined;
  }

  /** Stops the handler when its lease ends. */
  #watchLease(): void {
    this.checkLease();
    const left = this.#leaseClock.leftMs();
    if (left > 0) this.#later(left, () => this.#watchLease());
  }

  /** By either clock: the monotonic one, and with it every timer, stands still in sleep. */
  checkLease(): void {
    if (this.#leaseClock.isOver()) this.abort('lease_lost');
  }

  /** Puts the end on record, trying until it is certain or somebody else has ended the attempt. */
  async #finish(ending: Ending): Promise<void> {
    const { runner, log } = this.#deps;
    const late = ending.outcome === 'timed_out' && ending.output !== null;
    const logs = await this.#log.end();
    const offer =
      ending.outcome === 'interrupted'
        ? undefined
        : runner.reserve(this.#deps, this.label, { carrier: this.#carrier });
    const intent = newIntent(
      this.#deps,
      {
        job: this.label,
        op: 'finish',
        event: {
          kind: 'finish',
          attemptId: this.attemptId,
          ending: {
            ...ending,
            output: late ? null : ending.output,
            lateOutput: late ? ending.output : null,
            notes: [...this.#notes],
            progress: this.#progress,
            renewals: this.#renewals,
          },
        },
        offer,
        held: this.#held,
        heldRun: this.#heldRun,
        logs,
      },
      FINISH_WITHIN_MS,
    );
    const applied = await apply(this.#deps, intent).catch((error: unknown) => this.#broken(error));
    const granted = applied?.kind === 'applied' ? applied.granted : undefined;
    if (granted === undefined) runner.release(offer, this.#carrier);
    else void runner.start(this.#deps, granted, this.#carrier);
    if (applied?.kind === 'applied') runner.heed(applied.held.record);
    // Ended by another meanwhile, or its record can't be used: what it came to is not lost.
    if (applied === undefined || applied.kind === 'refused') {
      return this.#keepLate(
        ending,
        logs.reduce((sum, { lines }) => sum + lines.length, 0),
      );
    }
    if (applied?.kind === 'unknown' || applied?.kind === 'unavailable') {
      const { job, id: run } = this.#run;
      log('error', 'finish_not_recorded', { job, run, outcome: ending.outcome });
    }
  }

  #keepLate(ending: Ending, lines = 0): Promise<void> {
    const notes = this.#notes.map(({ text }) => text);
    if (lines > 0)
      notes.push(`lines of its log that were not kept, its lease being lost: ${lines}`);
    const { attemptId } = this;
    const withinMs = FINISH_WITHIN_MS;
    return keepLateResult(this.#deps, this.#run, { attemptId, ending, notes, withinMs });
  }
}

/** A handler that heeds its signal has stopped by then. */
const OVERDUE_AFTER_MS = 1000;
const NOTES_LIMIT = 20;
/** Longer than any outage one would wait out; the attempt's fence makes waiting harmless. */
const FINISH_WITHIN_MS = 900_000;
