import type { AbortReason } from './abort.ts';
import type { Result } from './handler.ts';
import type { Moment } from './lease-clock.ts';
import type { LogBuffer } from './log-buffer.ts';
import { describeError } from './outcome.ts';
import type { Scratch } from './deps.ts';
import type { LogLine, Progress, RunError } from './records.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import type { Task } from './task.ts';
import type { Cancel, Clock } from './time.ts';

/*
 * A handler in a worker of its own. The attempt stays here: its lease is renewed, its log kept and
 * its end recorded by this process, whatever the handler does to its own. All that passes between
 * the two is messages of plain data.
 */

/** What is said to the worker. */
export type Order =
  | { readonly kind: 'abort'; readonly reason: AbortReason; readonly detail: string }
  /** The attempt's lease now ends then. */
  | { readonly kind: 'lease'; readonly ends: Moment }
  | { readonly kind: 'scratch'; readonly path: string | null; readonly error: string | null }
  /** So many lines have arrived. */
  | { readonly kind: 'heard'; readonly lines: number };

/** What the worker says. */
export type Report =
  /** Texts that nobody may be told. */
  | { readonly kind: 'secrets'; readonly texts: readonly string[] }
  | {
      readonly kind: 'told';
      readonly lines: readonly LogLine[];
      /** How many came faster than they could be taken, and are lost. */
      readonly dropped: number;
      readonly progress: Progress | null;
    }
  /** The path of its folder is wanted. */
  | { readonly kind: 'scratch' }
  | { readonly kind: 'ended'; readonly result: Result };

/** What a worker is started with. */
export interface Isolating {
  readonly task: Task;
  /** The most memory it may take, in MiB. */
  readonly memoryMb: number;
  readonly lease: { readonly ends: Moment; readonly graceMs: number };
}

/** A worker that was started. */
export interface Isolated {
  send(order: Order): void;
  /** Ends it by force, whatever it is doing. */
  kill(): void;
}

/** Starts a worker. `gone` is called once, when nothing of it is left, and says how it ended. */
export type Isolate = (
  what: Isolating,
  heard: {
    readonly report: (report: Report) => void;
    readonly gone: (how: RunError) => void;
  },
) => Isolated;

/** Where no handler is ever started. */
export const NO_WORKERS: Isolate = () => {
  throw new Error('no worker can be started here');
};

/** A worker that was asked to stop and does not is ended by force this long after. */
export const FORCE_AFTER_MS = 5000;
/** What has returned has nothing left to do. */
const GONE_WITHIN_MS = 1000;
/** So often its lines are said to have arrived: it sends no faster than that. */
const HEARD_EVERY_MS = 50;

/** What an attempt's worker works on. */
interface Belongings {
  readonly clock: Clock;
  readonly log: LogBuffer;
  readonly scrubber: Scrubber;
  readonly scratch: Scratch;
  readonly onProgress: (progress: Progress) => void;
}

/** One handler in its worker, from the start until nothing of it is left. */
export class IsolatedHandler {
  readonly result: Promise<Result>;
  readonly #own: Belongings;
  readonly #worker: Isolated;
  #ended: Result | undefined;
  #forced: string | undefined;
  #unheard = 0;
  #hearing: Cancel | undefined;
  #gone = false;
  #leaving: Cancel | undefined;

  constructor(isolate: Isolate, what: Isolating, own: Belongings) {
    this.#own = own;
    own.scrubber.learn(what.task.secrets);
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.result = promise;
    this.#worker = isolate(what, {
      report: (report) => this.#take(report),
      gone: (how) => {
        this.#gone = true;
        this.#hearing?.();
        this.#leaving?.();
        resolve(this.#ended ?? { output: null, error: this.#why(how) });
      },
    });
  }

  /** What comes after that ends no work: its process is on its way out. */
  get hasReturned(): boolean {
    return this.#ended !== undefined;
  }

  abort(reason: AbortReason, detail: string): void {
    this.#send({ kind: 'abort', reason, detail });
  }

  extend(ends: Moment): void {
    this.#send({ kind: 'lease', ends });
  }

  /** Ends it by force; `why` is the run's error, unless the handler has returned meanwhile. */
  force(why: string): void {
    this.#forced ??= why;
    if (!this.#gone) this.#worker.kill();
  }

  #send(order: Order): void {
    if (!this.#gone) this.#worker.send(order);
  }

  #why(how: RunError): RunError {
    if (this.#forced !== undefined) return { name: 'Forced', message: this.#forced, stack: null };
    // What ended it may quote what it knew, and at any length.
    const { name, message, stack } = how;
    const error = Object.assign(new Error(message), { name, stack: stack ?? undefined });
    return describeError(error, this.#own.scrubber.text);
  }

  #take(report: Report): void {
    const { log, scrubber, scratch, onProgress, clock } = this.#own;
    switch (report.kind) {
      case 'secrets':
        return scrubber.learn(report.texts);
      case 'told':
        if (report.dropped > 0) log.system('warn', droppedText(report.dropped));
        for (const line of report.lines) log.add(line);
        if (report.progress !== null) onProgress(report.progress);
        this.#unheard += report.lines.length;
        this.#hearing ??= clock.after(HEARD_EVERY_MS, () => this.#hear());
        return;
      case 'scratch':
        scratch.path().then(
          (path) => this.#send({ kind: 'scratch', path, error: null }),
          (error: unknown) => {
            const { message } = describeError(error);
            this.#send({ kind: 'scratch', path: null, error: message });
          },
        );
        return;
      case 'ended':
        this.#ended = report.result;
        this.#leaving ??= clock.after(GONE_WITHIN_MS, () => this.#worker.kill());
    }
  }

  #hear(): void {
    this.#hearing = undefined;
    this.#send({ kind: 'heard', lines: this.#unheard });
    this.#unheard = 0;
  }
}

const droppedText = (lines: number): string =>
  `${lines.toLocaleString('en')} lines came faster than they could be taken, and were dropped`;
