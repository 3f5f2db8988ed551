import { createHmac } from 'node:crypto';
import type { AlertConfig } from '../config-alerts.ts';
import type { Log } from '../core/deps.ts';
import { describeError } from '../core/outcome.ts';
import { isoInstant, sleep, type Clock, type Instant } from '../core/time.ts';
import { traceIdOf } from '../core/trace.ts';
import { isNear, type AddressKind } from './addresses.ts';
import type { Alert } from './alert.ts';
import { Refused, safeFetch, type Resolve } from './safe-fetch.ts';

/** One that does not answer within this holds up the others, and nothing else. */
const DEADLINE_MS = 10_000;
/** What failed is tried once more, after so long. */
const PAUSE_MS = 2000;
const TRIES = 2;
/** When everything fails at once, these say it as well as thousands would. */
const QUEUE_LIMIT = 100;
/** Of an error's message; the whole of it stands with the run. */
const MESSAGE_LIMIT = 1000;

/** What telling needs. */
export interface AlertParts {
  readonly config: AlertConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly build: string;
  /** Where people find the service; null while nobody knows. */
  readonly base: () => string | null;
  readonly resolve?: Resolve | undefined;
}

/** What is sent, and what the log says it is about. */
interface Message {
  readonly about: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/**
 * Sends alerts to one address, one after another in the order in which they came, so that nobody
 * hears that a job recovered before it failed. Each is sent at most twice, under one id. What it is
 * about stands on record before; one that can't be delivered is a line in the log and no more.
 */
export class Alerts {
  readonly #parts: AlertParts;
  readonly #queue: Message[] = [];
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;
  #dropped = 0;

  constructor(parts: AlertParts) {
    this.#parts = parts;
  }

  /** Throws where what stands on record can't be told. */
  tell(alert: Alert): void {
    if (this.#queue.length >= QUEUE_LIMIT || this.#stop.signal.aborted) {
      this.#dropped += 1;
      return;
    }
    const { kind, job, run } = alert;
    const about = { kind, job, run: run?.id, trace: run?.traceparent };
    this.#queue.push({ about, body: JSON.stringify(bodyOf(alert, this.#parts)) });
    this.#working ??= this.#work();
  }

  /** Resolves when nothing waits to be sent any more. Never rejects. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Sends what waits for as long as `withinMs`, and then no more. */
  async close(withinMs: number): Promise<void> {
    const enough = new AbortController();
    const idle = this.idle().finally(() => enough.abort());
    await Promise.race([idle, sleep(this.#parts.clock, withinMs, enough.signal)]);
    this.#dropped += this.#queue.splice(0).length;
    this.#stop.abort(new Error('the service is shutting down'));
    await idle;
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#send(next);
    }
    if (this.#dropped > 0) this.#parts.log('warn', 'alerts_dropped', { count: this.#dropped });
    this.#dropped = 0;
    this.#working = undefined;
  }

  async #send({ about, body }: Message): Promise<void> {
    const { clock, log, config } = this.#parts;
    let problem = '';
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        const status = await this.#post(body);
        if (status >= 200 && status < 300) return log('info', 'alert_sent', about);
        problem = `it answered ${status}${status >= 300 && status < 400 ? NO_REDIRECTS : ''}`;
        if (!PASSING.has(status) && status < 500) break;
      } catch (error) {
        problem = describeError(error).message;
        if (error instanceof Refused) {
          problem += hintOf(error, config);
          break;
        }
      }
      if (tries < TRIES) await sleep(clock, PAUSE_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) break;
    }
    log('warn', 'alert_not_sent', { ...about, error: problem });
  }

  async #post(body: string): Promise<number> {
    const { config, clock, resolve } = this.#parts;
    const url = new URL(config.url);
    const end = new AbortController();
    const stop = (): void => end.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    const cancel = clock.after(DEADLINE_MS, () =>
      end.abort(new Error(`it did not answer within ${DEADLINE_MS / 1000} s`)),
    );
    try {
      const { status } = await safeFetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(body)),
          'User-Agent': 'Punctual',
          ...signatureOf(body, config.secret, clock.wall()),
        },
        body,
        signal: end.signal,
        may: (kind) => mayTell(kind, url, config),
        resolve,
      });
      return status;
    } finally {
      cancel();
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }
}

/** Answers below 500 that may be another a moment later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
const NO_REDIRECTS = ': redirects are not followed';

/** What would be right, where it can be said. */
function hintOf({ kind }: Refused, { privateToo }: AlertConfig): string {
  if (kind === 'public') return ': what is public is told over https only';
  const allow = kind !== undefined && isNear(kind) && !privateToo;
  return allow ? ': PUNCTUAL_ALERT_PRIVATE=yes would allow it' : '';
}

/** Nothing is told in clear beyond one's own network. */
const mayTell = (kind: AddressKind, { protocol }: URL, { privateToo }: AlertConfig): boolean =>
  kind === 'public' ? protocol === 'https:' : privateToo && isNear(kind);

/** With it the receiver can tell that it comes from us, is whole, and is not an old one again. */
export function signatureOf(
  body: string,
  secret: string | null,
  now: number,
): Readonly<Record<string, string>> {
  if (secret === null) return {};
  const at = Math.floor(now / 1000);
  const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return { 'X-Punctual-Signature': `t=${at},v1=${mac}` };
}

/** What is sent. Never an input, an output, a log or a stack: those may hold what is nobody's. */
function bodyOf(alert: Alert, { build, base, clock }: AlertParts): Record<string, unknown> {
  const { kind, job, run, reason, failures, missed } = alert;
  const at = run?.endedAt ?? clock.wall();
  const address = base();
  const path =
    run === undefined ? `jobs/${encodeURIComponent(job)}` : `runs/${encodeURIComponent(run.id)}`;
  const error = run?.error ?? null;
  return {
    id: `${kind}:${run?.id ?? `${job}:${at}`}`,
    kind,
    job,
    run: run?.id ?? null,
    state: run?.state ?? null,
    reason: reason?.slice(0, MESSAGE_LIMIT) ?? null,
    scheduledAt: timeOf(run?.scheduledAt ?? null),
    at: timeOf(at),
    error: error && { name: error.name, message: error.message.slice(0, MESSAGE_LIMIT) },
    ...(failures !== null && { failures }),
    ...(missed && { missed: { ...missed, from: timeOf(missed.from), to: timeOf(missed.to) } }),
    trace: traceIdOf(run?.traceparent) ?? null,
    link: address === null ? null : `${address}/${path}`,
    build,
  };
}

const timeOf = (at: Instant | null): string | null => (at === null ? null : isoInstant(at));
