import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What really happened, told by those who did it: one line each, appended at once, so that the
 * order of the lines is the order of events. Handlers write `begin`, `effect` and `end`; whoever
 * starts and strikes processes writes `up`, `gone` (seen to have ended), `stop` (about to be
 * stopped by SIGSTOP) and `cont` (about to go on).
 */

const WORDS = ['begin', 'effect', 'end', 'up', 'gone', 'stop', 'cont'] as const;
type Word = (typeof WORDS)[number];

export interface Line {
  readonly word: Word;
  readonly pid: number;
  /** By the machine's clock. The order of lines is what counts. */
  readonly at: number;
  /** These four in lines of handlers only. */
  readonly job: string;
  readonly run: string;
  readonly attempt: number;
  readonly fence: number;
  /** How it ended: `done`, `failed` or why its signal fired; of a process, what struck it. */
  readonly how: string;
}

const pathIn = (folder: string): string => join(folder, 'journal');

/** Writes lines; one `write` in append mode each, which the system does not tear apart. */
export const openJournal =
  (folder: string) =>
  (word: Word, pid: number, rest = ''): void =>
    appendFileSync(pathIn(folder), `${word} ${pid} ${Date.now()} ${rest}\n`);

export const readJournal = (folder: string): Line[] =>
  existsSync(pathIn(folder)) ? parseJournal(readFileSync(pathIn(folder), 'utf8')) : [];

export const parseJournal = (text: string): Line[] => text.trim().split('\n').map(parseLine);

function parseLine(text: string): Line {
  const [first = '', pid, at, ...rest] = text.trim().split(' ');
  const word = WORDS.find((one) => one === first);
  if (word === undefined) throw new Error(`not a line of the journal: ${text}`);
  const byHandler = word === 'begin' || word === 'effect' || word === 'end';
  const [job = '', run = '', attempt, fence, how = ''] = byHandler
    ? rest
    : ['', '', '', '', ...rest];
  const numbers = { pid: Number(pid), at: Number(at) };
  return { word, ...numbers, job, run, attempt: Number(attempt), fence: Number(fence), how };
}

/** One attempt as the journal tells of it. */
export interface Told {
  readonly begin: Line;
  /** Its own last line, or the end of its process; undefined while it is at work. */
  end: Line | undefined;
  /** Its process has stood still for longer than its lease since it began. */
  stoodStill: boolean;
  /** An attempt with a larger token began after it. */
  passed: boolean;
  /** Its process went on after a stop, and it has not said anything since. */
  onItsWay: boolean;
}

export interface Findings {
  readonly attempts: ReadonlyMap<string, Told>;
  readonly overlaps: readonly string[];
  readonly doubles: readonly string[];
  readonly fences: readonly string[];
  /** Lines that nobody can have written: the journal itself is wrong. */
  readonly impossible: readonly string[];
  /** Effects that were as good as on their way when their process was stopped. */
  readonly late: number;
}

export const attemptKey = (run: string, attempt: number): string => `${run} ${attempt}`;

/**
 * Judges the journal by the promises of docs/guarantees.md, for jobs with one slot:
 *
 * - A handler is started once an attempt (3), under a token larger than all before (7).
 * - No two attempts of a job are at work at once (6; I5 of the protocol). When one begins, every
 *   earlier one has ended, or its process has, or its process has stood still for longer than its
 *   lease. The last is passed: it heeds its signal, which fires in the first turn after it goes on.
 *   A timer of its own may come before that in the same turn, so of it may come one effect, that
 *   was as good as on its way when it was stopped, and no other.
 */
export function judge(lines: readonly Line[], leaseMs: number): Findings {
  const state: State = {
    leaseMs,
    attempts: new Map(),
    fences: new Map(),
    stopped: new Map(),
    gone: new Set(),
    found: { overlaps: [], doubles: [], fences: [], impossible: [] },
    late: 0,
  };
  for (const line of lines) {
    if (state.gone.has(line.pid)) state.found.impossible.push(`${say(line)}: its process is gone`);
    TAKE[line.word](state, line);
  }
  return { ...state.found, attempts: state.attempts, late: state.late };
}

interface State {
  readonly leaseMs: number;
  readonly attempts: Map<string, Told>;
  /** The largest token of each job. */
  readonly fences: Map<string, number>;
  readonly stopped: Map<number, Line>;
  readonly gone: Set<number>;
  readonly found: Record<'overlaps' | 'doubles' | 'fences' | 'impossible', string[]>;
  late: number;
}

const TAKE: Readonly<Record<Word, (state: State, line: Line) => void>> = {
  begin,
  effect,
  end: (state, line) => {
    const told = atWork(state, line);
    if (told !== undefined) told.end = line;
  },
  up: () => undefined,
  gone: (state, line) => {
    state.gone.add(line.pid);
    for (const told of openOf(state, (one) => one.pid === line.pid)) told.end = line;
  },
  stop: (state, line) => void state.stopped.set(line.pid, line),
  cont: (state, line) => {
    const { at } = state.stopped.get(line.pid) ?? line;
    state.stopped.delete(line.pid);
    for (const told of openOf(state, (one) => one.pid === line.pid)) {
      told.stoodStill ||= line.at - at > state.leaseMs;
      told.onItsWay = true;
    }
  },
};

function begin(state: State, line: Line): void {
  const { found, attempts, fences, stopped, leaseMs } = state;
  const { job, run, attempt, fence, at } = line;
  const key = attemptKey(run, attempt);
  if (attempts.has(key)) found.doubles.push(say(line));
  const before = fences.get(job) ?? 0;
  if (fence <= before) found.fences.push(`${say(line)}: after ${before}`);
  fences.set(job, Math.max(before, fence));
  for (const told of openOf(state, (one) => one.job === job)) {
    // The beat before is a third of a lease ago, or hardly more.
    const stillMs = at - (stopped.get(told.begin.pid)?.at ?? at);
    told.passed = told.stoodStill || stillMs > leaseMs / 3;
    if (!told.passed) found.overlaps.push(`${say(line)}: beside ${say(told.begin)}`);
  }
  const fresh = { stoodStill: false, passed: false, onItsWay: false };
  attempts.set(key, { begin: line, end: undefined, ...fresh });
}

function effect(state: State, line: Line): void {
  const told = atWork(state, line);
  if (told === undefined) return;
  if (told.passed && told.onItsWay) state.late += 1;
  else if (told.passed) state.found.overlaps.push(`${say(line)}: a later attempt had begun`);
  told.onItsWay = false;
}

/** The attempt that wrote this; undefined, and put down, where none can have written it. */
function atWork({ attempts, found }: State, line: Line): Told | undefined {
  const told = attempts.get(attemptKey(line.run, line.attempt));
  if (told?.end === undefined && told?.begin.fence === line.fence) return told;
  found.impossible.push(`${say(line)}: it was not at work`);
  return undefined;
}

const openOf = ({ attempts }: State, which: (begin: Line) => boolean): Told[] =>
  [...attempts.values()].filter((told) => told.end === undefined && which(told.begin));

const say = ({ word, run, attempt, fence, pid, at }: Line): string =>
  `${word} of ${run} (attempt ${attempt}, token ${fence}, process ${pid}) at ${at}`;
