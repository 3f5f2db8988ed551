import type { JobRecord, Run, Span } from '../../server/core/records.ts';
import { compactInstant, type Instant, type Timing } from '../../server/core/time.ts';
import { occurrencesIn, type InForce } from './occurrences.ts';
import { givenUp, isFull, type Seen } from './seen.ts';

/** What is known of one job's occurrences, kept beside the product and by other means. */
export class Ledger {
  readonly schedules: InForce[] = [];
  readonly #job: string;
  readonly #timing: Timing;
  readonly #pauses: Span[] = [];
  readonly #covered = new Map<Instant, string>();
  readonly #mayRepeat = new Set<Instant>();
  #restoredUntil: Instant = 0;

  /** A decision may lie this far before the moment in which its commit left. */
  readonly #slackMs: number;

  constructor(job: string, { timing, callTimeoutMs }: { timing: Timing; callTimeoutMs: number }) {
    this.#job = job;
    this.#timing = timing;
    this.#slackMs = timing.staleReadMs + callTimeoutMs;
  }

  /** What is wrong with what a commit says of occurrences: I1, I2, I3, I18, and true reasons. */
  wrongIn(seen: Seen): string | undefined {
    const { before, after, storeNow } = seen;
    this.#notePause(seen);
    const wrong = this.#noteSchedule(seen);
    if (wrong !== undefined) return wrong;
    if (after.watermark > storeNow) {
      return `I3 ${this.#job}: the watermark is ${after.watermark - storeNow} ms ahead of time`;
    }
    if (before === undefined) return undefined;
    if (after.watermark < before.watermark) return `I3 ${this.#job}: the watermark goes back`;
    return this.#wrongCover(seen, { from: before.watermark, to: after.watermark }, before);
  }

  /** Occurrences that nobody has decided about, and nobody pauses. */
  undecided({ watermark, paused }: JobRecord, until: Instant): Instant[] {
    const to = Math.min(until, paused === null ? Infinity : paused.at);
    return occurrencesIn(this.schedules, { from: watermark, to });
  }

  /** Schedules that came into force begin now, and name nothing that lies before. */
  #noteSchedule({ before, after, commit, sentAt }: Seen): string | undefined {
    for (const { schedule, from } of commit.specs) {
      if (from > sentAt || from < sentAt - this.#slackMs)
        return `${this.#job}: a schedule from ${from}`;
      const last = this.schedules.at(-1);
      if (last !== undefined && last.from > from) return `${this.#job}: schedules out of order`;
      if (last?.from === from) this.schedules.pop();
      this.schedules.push({ schedule, from });
    }
    if (before !== undefined) return undefined;
    const fits = after.watermark === after.registeredAt;
    return fits ? undefined : `${this.#job}: registered with a watermark of another time`;
  }

  #notePause({ before, after, commit, sentAt }: Seen): void {
    const was = before?.paused ?? null;
    if (was === null || (after.paused !== null && after.paused.at === was.at)) return;
    const byHand = commit.op === 'resume' ? this.#resumedAt(after, was.at, sentAt) : Infinity;
    this.#pauses.push({ from: was.at, to: Math.min(was.until ?? Infinity, byHand) });
  }

  /** The decision lies a little before its commit: when, the record says where it matters. */
  #resumedAt({ pauses }: JobRecord, from: Instant, sentAt: Instant): Instant {
    return pauses.findLast((span) => span.from === from)?.to ?? sentAt - this.#slackMs;
  }

  #paused(at: Instant): boolean {
    return this.#pauses.some(({ from, to }) => from < at && at <= to);
  }

  #wrongCover(seen: Seen, span: Span, before: JobRecord): string | undefined {
    const due = occurrencesIn(this.schedules, span);
    const records = seen.runs
      .filter((one) => one.before === undefined)
      .flatMap(({ after }) => (after?.trigger === 'schedule' ? [after] : []));
    const left = new Set(due);
    for (const run of records) {
      const { from, to } = run.range ?? { from: run.scheduledAt ?? 0, to: run.scheduledAt ?? 0 };
      const held = due.filter((at) => from <= at && at <= to);
      if (run.range !== null && run.range.count !== held.length) {
        return `I1 ${run.id} counts ${run.range.count}, not ${held.length}`;
      }
      if (!left.has(from) || !left.has(to)) return `I1 ${run.id} speaks of what is not due`;
      for (const at of held) {
        const twice = this.#covered.has(at) && !this.#mayRepeat.has(at);
        if (!left.delete(at) || twice) return `I1 ${run.id} is on record twice`;
        this.#covered.set(at, run.id);
        const wrong = this.#wrongReason(run, at, seen, before);
        if (wrong !== undefined) return `${run.id}, for ${compactInstant(at)}: ${wrong}`;
      }
    }
    const [gap] = [...left].filter((at) => !this.#covered.has(at));
    return gap === undefined ? undefined : `I1 ${this.#job} ${compactInstant(gap)} has no record`;
  }

  /** A record of earlier came back, and with it occurrences that were decided long ago. */
  restored({ watermark }: JobRecord, until: Instant): void {
    this.#restoredUntil = Math.max(this.#restoredUntil, until);
    // A run is never started twice; but of one in a range nobody looks before it starts.
    for (const [at, id] of this.#covered) {
      if (at > watermark && id.includes('..')) this.#mayRepeat.add(at);
    }
  }

  /** Whether what a record says of an occurrence is so. */
  #wrongReason(run: Run, at: Instant, seen: Seen, before: JobRecord): string | undefined {
    if (at <= this.#restoredUntil) return undefined;
    const { after, sentAt } = seen;
    const back = before.retiredAt !== null;
    if (back) return run.range === null ? 'it starts though the job had left the code' : undefined;
    const { lateAfterMs } = this.#timing;
    const { spec } = before;
    const age = sentAt - at - this.#pausedSince(at, sentAt);
    const young = age <= spec.catchUp.withinMs + this.#slackMs;
    const oneDeep = spec.overlap === 'queue' || spec.overlap === 'replace';
    const { wasBusy, diedBusy, unclear } = this.#busy(at, seen, before);
    if (unclear) return undefined;
    if (this.#paused(at) !== (run.reason === 'paused')) return 'I18 it is not as the pauses say';
    switch (run.reason) {
      case 'paused':
        return undefined;
      case 'overlap':
        return wasBusy ? undefined : 'it overlapped nothing';
      case 'superseded':
        if (!oneDeep) return 'nothing supersedes under this policy';
        return run.cause !== null ? undefined : 'nothing stands for it';
      case 'outage':
      case 'late':
        if (age <= lateAfterMs) return `it is called missed when it is ${age} ms old`;
        return diedBusy ? 'it is called missed, but the job was busy' : undefined;
      case 'too-many':
        return 'there were not so many';
      case null:
        break;
    }
    if (before.catchUpTo !== null && at <= before.catchUpTo) return undefined;
    if (after.catchUpTo !== null && at <= after.catchUpTo) return undefined;
    if (wasBusy) {
      const waits = oneDeep || after.freed?.trigger === 'backfill';
      if (!waits) return 'it starts though the job was busy when it fell due';
    } else if (age <= lateAfterMs + this.#slackMs) return undefined;
    else if (spec.catchUp.runs === 'none') return 'it starts late under a policy of none';
    return young ? undefined : `it starts ${age} ms late`;
  }

  #pausedSince(at: Instant, now: Instant): number {
    return this.#pauses.reduce(
      (sum, { from, to }) => sum + Math.max(0, Math.min(to, now) - Math.max(from, at)),
      0,
    );
  }

  /** Whether the job was full at an instant; with several slots it may not be clear afterwards. */
  #busy(at: Instant, seen: Seen, before: JobRecord) {
    const died = isFull(before)
      ? givenUp(seen).map(({ lease }) => lease.renewedAt + lease.leaseMs + lease.graceMs)
      : [];
    const wasBusy = at <= Math.max(seen.after.freeAt, ...died);
    // What fell due after a death is judged before anything else frees the slot.
    const diedBusy = died.length === 0 ? wasBusy : at <= Math.max(before.freeAt, ...died);
    return { wasBusy, diedBusy, unclear: died.length > 1 && at > Math.min(...died) };
  }
}
