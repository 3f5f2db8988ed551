import type { Dispatching, Log } from '../core/deps.ts';
import { scheduledRunId } from '../core/draft.ts';
import { describeError } from '../core/outcome.ts';
import type { JobRecord } from '../core/records.ts';
import type { Registry } from '../core/registry.ts';
import type { Instant } from '../core/time.ts';
import { nextOccurrence } from '../core/undecided.ts';

/** A request that is asked for: for which attempt of which run, when, and how long it may take. */
export interface Sending {
  readonly runId: string;
  readonly attempt: number;
  /** Null: at once. */
  readonly at: Instant | null;
  readonly timeoutMs: number;
}

/** Who makes requests come. */
export interface Sender {
  send(sending: Sending, job: string): Promise<void>;
  /** Asks for a tick, now. Not there where it can be told a time, and all that waits is sent. */
  readonly tick?: () => Promise<void>;
  close(): Promise<void>;
}

/** More than one process has waiting. */
const REMEMBERED = 5000;

/**
 * Sees to it that what waits gets a request of its own: a retry when it falls due, a run by hand at
 * once, and an occurrence that was due and that no tick could carry. A request has no authority of
 * its own, so one too many is harmless; one too few is made good by the next tick.
 */
export class Dispatch implements Dispatching {
  readonly #ahead: boolean;
  readonly #sender: () => Promise<Sender>;
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #sent = new Set<string>();
  #opened: Promise<Sender> | undefined;
  #under = new Set<Promise<void>>();

  /**
   * `ahead`: the sender can be told a time, and takes each attempt but once, as Cloud Tasks does.
   * It is asked for when the first request is: the client is loaded no sooner.
   */
  constructor(parts: {
    readonly ahead: boolean;
    readonly sender: () => Promise<Sender>;
    readonly registry: Registry;
    readonly log: Log;
  }) {
    this.#ahead = parts.ahead;
    this.#sender = parts.sender;
    this.#registry = parts.registry;
    this.#log = parts.log;
  }

  look({ name, retries, queue }: JobRecord): void {
    if (!this.#ahead) return;
    for (const { runId, attempt, notBefore } of retries) {
      this.#ask(name, { runId, attempt, at: notBefore });
    }
    const [first] = queue;
    if (first !== undefined) this.#ask(name, { runId: first.runId, attempt: 1, at: null });
  }

  due(record: JobRecord): void {
    const { name, watermark } = record;
    const at = nextOccurrence(record, watermark) ?? watermark;
    // Without names that are taken once, each tick asks again for as long as it is due.
    if (!this.#ahead) this.#sent.clear();
    this.#ask(name, { runId: scheduledRunId(name, at), attempt: 1, at: null });
  }

  wakeAll(): void {
    if (!this.#ahead) this.#track(this.#open().then((sender) => sender.tick?.()));
  }

  #ask(job: string, wanted: Omit<Sending, 'timeoutMs'>): void {
    const key = `${wanted.runId} ${wanted.attempt}`;
    const timeoutMs = this.#registry.get(job)?.spec.timeoutMs;
    if (timeoutMs === undefined || this.#sent.has(key)) return;
    this.#remember(key);
    const sent = this.#open().then((sender) => sender.send({ ...wanted, timeoutMs }, job));
    this.#track(sent, { job }, () => this.#sent.delete(key));
  }

  /** Says so where it fails; nobody waits for it but `settled`. */
  #track(sending: Promise<void>, of: { readonly job?: string } = {}, failed = (): void => {}) {
    const told = sending.catch((error: unknown) => {
      failed();
      this.#log('warn', 'dispatch_failed', { ...of, error: describeError(error).message });
    });
    this.#under.add(told);
    void told.finally(() => this.#under.delete(told));
  }

  /** Resolves when all that was asked for is sent: an instance may stand still after its answer. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#under);
  }

  async close(): Promise<void> {
    await this.settled();
    await (await this.#opened)?.close();
  }

  #open(): Promise<Sender> {
    return (this.#opened ??= this.#sender());
  }

  #remember(key: string): void {
    this.#sent.add(key);
    const [oldest] = this.#sent.size > REMEMBERED ? this.#sent : [];
    if (oldest !== undefined) this.#sent.delete(oldest);
  }
}
