import { setTimeout as pause } from 'node:timers/promises';
import type { Loose } from './answers.ts';
import { STATUS, Trouble } from './command.ts';
import { noAnswer, refusal, type Asked } from './failures.ts';
import { NoAnswer, type Reply, type Send } from './transport.ts';

/** What is asked of the API. */
export interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`, its parts encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON text. */
  readonly body?: string;
  /** Under it the request does what it does once, however often it is sent. */
  readonly key?: string;
  /** How long the server may take on purpose. */
  readonly waitMs?: number;
  /**
   * Where a server that was there has gone, it is asked again until it is back, though not beyond
   * this instant of `performance.now()`: for what can be asked twice.
   */
  readonly patientUntil?: number;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly body: Loose<T>;
  /** Whether what the key stands for was there already. */
  readonly wasThere: boolean;
}

/** Thrown where the signal of a request was aborted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const ANSWER_WITHIN_MS = 30_000;
/** A restart takes some seconds, a deploy to another machine a minute at most. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 2000;
const RETRY_AFTER_LIMIT_S = 10;
const NEVER = new AbortController().signal;

/** The API of a server, wherever that is. */
export class Api {
  /** Where people find it; null for this machine's store, where no server need be. */
  readonly url: string | null;
  readonly #place: Asked;
  readonly #send: Send;
  readonly #patienceMs: number;
  readonly #tell: (words: string) => void;
  /** A server that was never there is not waited for. */
  #wasThere = false;
  #hasAnswered = false;

  constructor(
    place: Asked,
    send: Send,
    { tell, patienceMs = PATIENCE_MS }: { tell: (words: string) => void; patienceMs?: number },
  ) {
    this.url = place?.url ?? null;
    this.#place = place;
    this.#send = send;
    this.#tell = tell;
    this.#patienceMs = patienceMs;
  }

  /** Gives the answer; throws `Trouble` for all that is none, `Interrupted` when told to. */
  async ask<T>(request: Request): Promise<Answer<T>> {
    const { key, patientUntil = -Infinity, signal = NEVER } = request;
    let until = Infinity;
    let unsure = false;
    for (let tries = 0; ; tries++) {
      const reply = await this.#once(request, signal);
      if (!(reply instanceof Trouble) && isDone(reply)) return this.#read(reply);
      const trouble = reply instanceof Trouble ? reply : refusal(this.#place, reply);
      // An earlier try may have done what this one was not even heard with.
      unsure ||= trouble.unsure;
      const now = performance.now();
      if (tries === 0) until = Math.min(now + this.#patienceMs, patientUntil);
      if (!this.#wasThere || !mayPass(reply, request) || now >= until) {
        const more = unsure && key === undefined ? '; it may be done all the same' : '';
        throw new Trouble(trouble.status, trouble.message + more, { unsure });
      }
      if (tries === 0) this.#tell(`${trouble.message}; asking again`);
      await pauseBefore(reply, tries, signal);
    }
  }

  async #once(request: Request, signal: AbortSignal): Promise<Reply | Trouble> {
    const { method = 'GET', path, query = {}, body, key, waitMs = 0 } = request;
    const token = this.#place?.token ?? null;
    try {
      const reply = await this.#send({
        method,
        body: body ?? null,
        signal,
        path: `/api/v1${path}${queryText(query)}`,
        withinMs: waitMs + ANSWER_WITHIN_MS,
        headers: {
          Accept: 'application/json',
          'User-Agent': 'punctual',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(key !== undefined && { 'Idempotency-Key': key }),
          ...(token !== null && { Authorization: `Bearer ${token}` }),
        },
      });
      this.#wasThere = true;
      this.#hasAnswered = true;
      return reply;
    } catch (error) {
      if (signal.aborted) throw new Interrupted('interrupted', { cause: error });
      if (!(error instanceof NoAnswer)) throw error;
      this.#wasThere ||= error.reached;
      const unsure = error.reached && method !== 'GET';
      return noAnswer(this.#place, error.cause, { unsure, isNew: !this.#hasAnswered });
    }
  }

  #read<T>(reply: Reply): Answer<T> {
    const { headers } = reply;
    try {
      const body: Loose<T> = JSON.parse(reply.text);
      const isJson = (headers['content-type'] ?? '').startsWith('application/json');
      if (isJson && typeof body === 'object' && body !== null) {
        return { body, wasThere: headers['idempotent-replayed'] === 'true' };
      }
    } catch {
      // Told of below, as whatever else it is.
    }
    throw refusal(this.#place, reply);
  }
}

/** As long as the server asks for, or longer each time. */
async function pauseBefore(
  reply: Reply | Trouble,
  tries: number,
  signal: AbortSignal,
): Promise<void> {
  const after = reply instanceof Trouble ? NaN : Number(reply.headers['retry-after']);
  const askedMs = Math.min(after, RETRY_AFTER_LIMIT_S) * 1000;
  const ms = askedMs >= 0 ? askedMs : Math.min(FIRST_PAUSE_MS * 2 ** tries, LAST_PAUSE_MS);
  await pauseFor(ms, signal);
}

/** Throws `Interrupted` when told to. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    throw new Interrupted('interrupted', { cause: error });
  });
}

const isDone = ({ status }: Reply): boolean => status >= 200 && status < 300;

/** Whether it may be over soon: a server that starts, one that goes, a proxy that finds neither. */
function mayPass(reply: Reply | Trouble, { method = 'GET' }: Request): boolean {
  if (reply instanceof Trouble) return reply.status === STATUS.noAnswer;
  return [502, 503, 504].includes(reply.status) || (reply.status === 429 && method === 'GET');
}

function queryText(query: NonNullable<Request['query']>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}
