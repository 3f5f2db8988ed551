import { describeError } from '../core/outcome.ts';
import type { Observing, Recorded } from '../core/observing.ts';
import type { Run } from '../core/records.ts';
import { isFailure } from '../core/run.ts';
import { sleep } from '../core/time.ts';
import type { Alert } from './alert.ts';
import type { AlertParts, Alerts } from './alerts.ts';
import { Tally } from './figures.ts';

interface Teller {
  readonly alerts: Alerts;
  readonly alertsOf: (recorded: Recorded) => Alert[];
}

/**
 * Counts what this process did, and has alerts sent where somebody is to be told. What sends them
 * is loaded with the first.
 */
export class Observer implements Observing {
  readonly figures = new Tally();
  readonly #parts: AlertParts | null;
  readonly #standsStill: boolean;
  #opened: Promise<Teller> | undefined;
  #telling = new Set<Promise<void>>();

  /** `standsStill`: this process may have no CPU after an answer, so nothing may be left to do. */
  constructor(parts: AlertParts | null, { standsStill }: { readonly standsStill: boolean }) {
    this.#parts = parts;
    this.#standsStill = standsStill;
  }

  recorded(recorded: Recorded): void {
    this.figures.add(recorded);
    if (this.#parts === null || !mayBeNews(recorded)) return;
    this.#tell(({ alerts, alertsOf }) => alertsOf(recorded).forEach((one) => alerts.tell(one)));
  }

  setAside(job: string, problem: string): void {
    const about = { job, run: undefined, reason: problem, failures: null, missed: null };
    this.#tell(({ alerts }) => alerts.tell({ ...about, kind: 'set_aside' }));
  }

  overdue(run: Run, detail: string): void {
    const about = { job: run.job, run, reason: detail, failures: null, missed: null };
    this.#tell(({ alerts }) => alerts.tell({ ...about, kind: 'overdue' }));
  }

  async settled(withinMs: number): Promise<void> {
    if (!this.#standsStill || this.#parts === null || this.#opened === undefined) return;
    const enough = new AbortController();
    const told = this.#idle().finally(() => enough.abort());
    await Promise.race([told, sleep(this.#parts.clock, withinMs, enough.signal)]);
  }

  /** Sends what waits for so long, and then no more. */
  async close(withinMs: number): Promise<void> {
    await Promise.allSettled(this.#telling);
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.alerts.close(withinMs);
  }

  async #idle(): Promise<void> {
    await Promise.allSettled(this.#telling);
    await (await this.#opened?.catch(() => undefined))?.alerts.idle();
  }

  #tell(tell: (teller: Teller) => void): void {
    const parts = this.#parts;
    if (parts === null) return;
    this.#opened ??= open(parts);
    const told = this.#opened.then(tell).catch((error: unknown) => {
      parts.log('error', 'alert_broken', { error: describeError(error).message });
    });
    this.#telling.add(told);
    void told.finally(() => this.#telling.delete(told));
  }
}

/** A failure, or what may be the first success after one: nearly all that ends is neither. */
const mayBeNews = ({ record: { streak, counters }, ended }: Recorded): boolean => {
  const { failed = 0, timed_out: late = 0, lost = 0 } = counters;
  const recovers = streak === 1 && failed + late + lost > 0;
  return ended.some(({ state }) => isFailure(state) || (state === 'succeeded' && recovers));
};

async function open(parts: AlertParts): Promise<Teller> {
  const { Alerts } = await import('./alerts.ts');
  const { alertsOf } = await import('./alert.ts');
  return { alerts: new Alerts(parts), alertsOf };
}
