import { graceOf } from '../../server/core/time.ts';
import { say, type Line } from './journal.ts';

/** One attempt as the journal tells of it. */
export interface Told {
  readonly begin: Line;
  /** Its own last line, or the end of its process; undefined while it may be at work. */
  end: Line | undefined;
}

export interface Findings {
  /** By run and number; see `attemptKey`. */
  readonly attempts: ReadonlyMap<string, Told>;
  /** What was done to processes, in order. */
  readonly marks: readonly Line[];
  readonly overlaps: readonly string[];
  readonly doubles: readonly string[];
  readonly fences: readonly string[];
  /** Lines that nobody can have written: the journal itself is wrong. */
  readonly impossible: readonly string[];
  /** Effects that were as good as on their way when their process was stopped, or of the deaf. */
  readonly late: number;
}

export interface Rules {
  readonly leaseMs: number;
  /** How many attempts of a job may be at work at once; 1 if not given. */
  readonly slotsOf?: (job: string) => number;
}

export const attemptKey = (run: string, attempt: number): string => `${run} ${attempt}`;

/**
 * Judges the journal by the promises of docs/guarantees.md. It knows nothing of the store, and
 * takes time that grows with the number of lines, and no faster.
 *
 * - A handler is started once an attempt (3), under a token larger than all before (7). Where a job
 *   has several slots the one that was granted first may begin last, so there no two are equal.
 * - No more attempts of a job are at work than it has slots (6; I5 of the protocol). When one
 *   begins, as many of the earlier ones must be over: ended, or gone with their process, or passed.
 *   Whoever is passed has lost its lease, so it has been silent for at least safety and grace, as
 *   one that heeds its signal is silent from the moment it stops trusting its lease. And it stays
 *   silent: every line of its own says that it was at work beside the others.
 * - A process that goes on after a stop may do first what it was about to do, and no more.
 * - A handler that is deaf to its signal can't know that its lease is lost. It may go on after it
 *   was passed, but only if it had been silent before, as its process was stopped.
 * - An isolated handler may outlive its server by some ms, and may be ended by force in the middle
 *   of a word. So it need not have been silent; but when it is passed, nothing of it may be left.
 */
export function judge(lines: Iterable<Line>, rules: Rules): Findings {
  const judging = new Judging(rules);
  for (const line of lines) judging.take(line);
  return judging;
}

/** Attempts that were passed at one beginning, of which so many have to be over. */
interface Doubt {
  readonly needed: number;
  readonly among: Set<Attempt>;
  readonly by: Line;
}

interface Attempt extends Told {
  /** When it last gave a sign of life. */
  last: number;
  deaf: boolean;
  doubts: Doubt[];
}

class Judging implements Findings {
  readonly attempts = new Map<string, Attempt>();
  readonly marks: Line[] = [];
  readonly overlaps: string[] = [];
  readonly doubles: string[] = [];
  readonly fences: string[] = [];
  readonly impossible: string[] = [];
  late = 0;
  readonly #slotsOf: (job: string) => number;
  readonly #leaseMs: number;
  /** Between the grace alone, which is too little, and safety and grace, less what clocks round. */
  readonly #silenceMs: number;
  /** Those that may be at work, by job and by process. */
  readonly #ofJob = new Map<string, Set<Attempt>>();
  readonly #ofProcess = new Map<number, Set<Attempt>>();
  readonly #tokens = new Map<string, { largest: number; readonly all: Set<number> }>();
  readonly #gone = new Set<number>();
  /** Processes that went on after a stop, and have not said anything since. */
  readonly #resumed = new Set<number>();

  constructor({ leaseMs, slotsOf = () => 1 }: Rules) {
    this.#leaseMs = leaseMs;
    this.#slotsOf = slotsOf;
    this.#silenceMs = 1.5 * graceOf(leaseMs);
  }

  take(line: Line): void {
    switch (line.word) {
      case 'begin':
      case 'effect':
      case 'deaf':
      case 'end':
        return this.#takeHandlers(line);
      case 'up':
        // The system gives numbers of processes anew.
        this.#gone.delete(line.pid);
        break;
      case 'gone':
        this.#takeGone(line);
        break;
      case 'cont':
        this.#resumed.add(line.pid);
        break;
      case 'strike':
      case 'stop':
    }
    this.marks.push(line);
  }

  #takeHandlers(line: Line): void {
    const isolated = line.host !== 0;
    if (this.#gone.has(line.pid) && !isolated) {
      this.impossible.push(`${say(line)}: its process is gone`);
    }
    // A host is not stopped with its server.
    const onItsWay = !isolated && this.#resumed.delete(line.pid);
    if (line.word === 'begin') return this.#begin(line, onItsWay);
    const attempt = this.#atWork(line);
    if (attempt === undefined) return;
    if (line.word === 'end') {
      // The end is no effect; but of an isolated one that was passed nothing should be left.
      if (isolated) this.#sign(attempt, line);
      return this.#over(attempt, line);
    }
    attempt.deaf ||= line.word === 'deaf';
    if (!onItsWay) return this.#sign(attempt, line);
    if (attempt.doubts.length > 0) this.late += 1;
  }

  #begin(line: Line, onItsWay: boolean): void {
    const key = attemptKey(line.run, line.attempt);
    if (this.attempts.has(key)) this.doubles.push(say(line));
    const attempt = { begin: line, end: undefined, last: line.at, deaf: false, doubts: [] };
    this.attempts.set(key, attempt);
    if (onItsWay && this.#isOld(line)) this.#beginsTooLate(attempt);
    else {
      this.#takeToken(line);
      this.#pass(line);
    }
    added(this.#ofJob, line.job, attempt);
    added(this.#ofProcess, line.pid, attempt);
  }

  /** It was about to begin when its process was stopped, and others have passed it since. */
  #beginsTooLate(attempt: Attempt): void {
    this.late += 1;
    attempt.doubts.push({ needed: 1, among: new Set([attempt]), by: attempt.begin });
  }

  #isOld = ({ job, fence }: Line): boolean => fence <= (this.#tokens.get(job)?.largest ?? 0);

  #takeToken(line: Line): void {
    const { job, fence } = line;
    const known = this.#tokens.get(job) ?? { largest: 0, all: new Set<number>() };
    this.#tokens.set(job, known);
    const several = this.#slotsOf(job) > 1;
    if (several ? known.all.has(fence) : this.#isOld(line)) {
      this.fences.push(`${say(line)}: after ${known.largest}`);
    }
    if (several) known.all.add(fence);
    known.largest = Math.max(known.largest, fence);
  }

  /** One more begins: as many of the others as it leaves no slot to have to be over. */
  #pass(line: Line): void {
    const others = this.#ofJob.get(line.job) ?? new Set();
    for (const one of others) if (this.#isLongSilent(one, line)) others.delete(one);
    const needed = others.size + 1 - this.#slotsOf(line.job);
    if (needed <= 0) return;
    const among = new Set([...others].filter((one) => this.#mayBeOver(one, line)));
    if (among.size < needed) {
      const beside = [...others].filter((one) => !among.has(one));
      this.overlaps.push(`${say(line)}: beside ${beside.map((one) => say(one.begin)).join(', ')}`);
      return;
    }
    for (const one of among) one.doubts.push({ needed, among, by: line });
  }

  #mayBeOver = ({ begin, last }: Attempt, { at }: Line): boolean =>
    begin.host !== 0 || at - last >= this.#silenceMs;

  /** Passed already and never heard of since; its next line would tell all the same. */
  #isLongSilent = ({ doubts, last }: Attempt, { at }: Line): boolean =>
    doubts.length > 0 && at - last > 2 * this.#leaseMs;

  /** It is at work: whoever took it to be over was wrong, unless enough others are. */
  #sign(attempt: Attempt, line: Line): void {
    attempt.last = line.at;
    if (attempt.doubts.length === 0) return;
    const { doubts, deaf } = attempt;
    attempt.doubts = [];
    if (deaf) {
      this.late += 1;
      attempt.doubts = doubts;
      return;
    }
    for (const { among, needed, by } of doubts) {
      among.delete(attempt);
      if (among.size < needed) {
        this.overlaps.push(`${say(line)}: although there was ${say(by)}`);
        return;
      }
    }
  }

  #takeGone(line: Line): void {
    this.#gone.add(line.pid);
    this.#resumed.delete(line.pid);
    for (const attempt of this.#ofProcess.get(line.pid) ?? []) {
      // A host ends a moment later, by itself.
      if (attempt.begin.host === 0) this.#over(attempt, line);
    }
    this.#ofProcess.delete(line.pid);
  }

  #over(attempt: Attempt, line: Line): void {
    attempt.end = line;
    this.#ofJob.get(attempt.begin.job)?.delete(attempt);
    this.#ofProcess.get(attempt.begin.pid)?.delete(attempt);
  }

  /** The attempt that wrote this; undefined, and put down, where none can have written it. */
  #atWork(line: Line): Attempt | undefined {
    const attempt = this.attempts.get(attemptKey(line.run, line.attempt));
    if (attempt?.end === undefined && attempt?.begin.fence === line.fence) return attempt;
    this.impossible.push(`${say(line)}: it was not at work`);
    return undefined;
  }
}

function added<Key>(all: Map<Key, Set<Attempt>>, key: Key, attempt: Attempt): void {
  const some = all.get(key);
  if (some === undefined) all.set(key, new Set([attempt]));
  else some.add(attempt);
}
