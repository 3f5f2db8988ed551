import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { AnswerReader, BadAnswer, type WireAnswer } from './answers.ts';
import type { Script, Step } from './raw.ts';

/** What became of something that was said. */
export interface Heard {
  readonly answers: readonly WireAnswer[];
  readonly end:
    /** There may be more requests. */
    | 'open'
    | 'closed'
    /** Broken off. */
    | 'reset'
    /** By us, before all was heard. */
    | 'left'
    /** Nothing came any more, and it was not closed. */
    | 'silent';
  /** Why what came is no answer. */
  readonly fault: string | null;
  readonly tookMs: number;
  /** What was said on the same connection just before. */
  readonly before?: Buffer;
}

/** How long an answer may take, and after which time nobody waits for it any more. */
export interface Patience {
  readonly deadlineMs: number;
  readonly leaveAfterMs: number | null;
}

/** After an answer, more would come at once. */
const QUIET_MS = 25;
/** Whoever is not answered at all was perhaps not done speaking. */
const QUIET_AT_FIRST_MS = 400;

/** One connection, and what comes over it. */
class Wire {
  readonly socket: Socket;
  readonly reader = new AnswerReader();
  readonly answers: WireAnswer[] = [];
  end: 'open' | 'closed' | 'reset' = 'open';
  fault: string | null = null;
  lastAt = performance.now();
  #changed: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#take(() => this.reader.push(chunk)));
    this.socket.on('end', () => {
      this.#take(() => [this.reader.end()].filter((one) => one !== undefined));
      this.socket.end();
      this.#ended('closed');
    });
    this.socket.on('error', () => this.#ended('reset'));
    this.socket.on('close', () => this.#ended('closed'));
  }

  /** Resolves when something has come, or the time is up. */
  async next(withinMs: number): Promise<void> {
    if (this.end !== 'open') return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#changed = resolve;
      timer = setTimeout(resolve, Math.max(0, withinMs));
    });
    clearTimeout(timer);
  }

  #take(read: () => readonly WireAnswer[]): void {
    this.lastAt = performance.now();
    try {
      this.answers.push(...read());
    } catch (error) {
      if (!(error instanceof BadAnswer)) throw error;
      this.fault ??= error.message;
    }
    this.#changed();
  }

  #ended(how: 'closed' | 'reset'): void {
    if (this.end === 'open') this.end = how;
    this.#changed();
  }
}

/** Sends one request after another, on one connection for as long as it is kept. */
export class Client {
  readonly #port: number;
  #wire: Wire | undefined;
  #said: Buffer | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async ask(bytes: Buffer, method: string, patience: Patience): Promise<Heard> {
    const fresh = this.#wire === undefined || this.#wire.end !== 'open';
    const wire = fresh ? new Wire(this.#port) : (this.#wire ?? new Wire(this.#port));
    this.#wire = wire;
    const heard = await this.#once(wire, bytes, { method, patience });
    // It may have been closed just when this was sent: then it was not even read.
    const tooLate = !fresh && heard.answers.length === 0 && heard.end !== 'left';
    return tooLate && heard.end !== 'silent' ? await this.ask(bytes, method, patience) : heard;
  }

  close(): void {
    this.#wire?.socket.destroy();
    this.#wire = undefined;
    this.#said = undefined;
  }

  async #once(
    wire: Wire,
    bytes: Buffer,
    { method, patience }: { readonly method: string; readonly patience: Patience },
  ): Promise<Heard> {
    const startedAt = performance.now();
    const { deadlineMs, leaveAfterMs } = patience;
    const before = wire.answers.splice(0).length;
    if (before > 0) wire.fault ??= 'it was answered before it asked';
    wire.reader.asked(method);
    wire.socket.write(bytes);
    const until = startedAt + Math.min(leaveAfterMs ?? Infinity, deadlineMs);
    while (wire.answers.length === 0 && wire.end === 'open' && wire.fault === null) {
      const left = until - performance.now();
      if (left <= 0) break;
      await wire.next(left);
    }
    const answers = wire.answers.splice(0);
    const isHeard = answers.length > 0 || wire.end !== 'open' || wire.fault !== null;
    const end = isHeard ? wire.end : leaveAfterMs === null ? 'silent' : 'left';
    if (answers[0]?.headers.get('connection') === 'close' && wire.end === 'open') {
      await wire.next(deadlineMs);
    }
    const tookMs = performance.now() - startedAt;
    const said = this.#said;
    this.#said = bytes;
    if (end !== 'open' || wire.end !== 'open' || wire.fault !== null) this.close();
    return { answers, end, fault: wire.fault, tookMs, ...(said !== undefined && { before: said }) };
  }
}

/** Says what a script has, on a connection of its own, and hears what comes. */
export async function play(
  port: number,
  { steps, answersAtMost }: Script,
  deadlineMs: number,
): Promise<Heard> {
  const startedAt = performance.now();
  const wire = new Wire(port);
  try {
    for (const step of steps)
      if (!(await taken(wire, step))) return heardSo(wire, startedAt, 'left');
    while (wire.end === 'open' && wire.answers.length <= answersAtMost) {
      const quietMs = wire.answers.length === 0 ? QUIET_AT_FIRST_MS : QUIET_MS;
      const left = wire.lastAt + quietMs - performance.now();
      if (left <= 0) break;
      await wire.next(left);
    }
    // Whoever says no more is let go, whatever was begun.
    wire.socket.end();
    const until = performance.now() + deadlineMs;
    while (wire.end === 'open' && performance.now() < until) {
      await wire.next(until - performance.now());
    }
    return heardSo(wire, startedAt, wire.end === 'open' ? 'silent' : wire.end);
  } finally {
    wire.socket.destroy();
  }
}

const heardSo = ({ answers, fault }: Wire, startedAt: number, end: Heard['end']): Heard => ({
  answers,
  fault,
  end,
  tookMs: performance.now() - startedAt,
});

/** False where nobody is there any more to go on. */
async function taken(wire: Wire, step: Step): Promise<boolean> {
  if (step === 'vanish') {
    await pause(1);
    return false;
  }
  if (step === 'half-close') wire.socket.end();
  else if ('pauseMs' in step) await pause(step.pauseMs);
  else if (wire.end === 'open') wire.socket.write(Buffer.from(step.say, 'latin1'));
  return true;
}

/** Begins something and leaves it at that: resolves when the server has had enough of it. */
export async function stall(port: number, said: string, deadlineMs: number): Promise<Heard> {
  const startedAt = performance.now();
  const wire = new Wire(port);
  wire.socket.write(said);
  while (wire.end === 'open') {
    const left = startedAt + deadlineMs - performance.now();
    if (left <= 0) break;
    await wire.next(left);
  }
  wire.socket.destroy();
  return heardSo(wire, startedAt, wire.end === 'open' ? 'silent' : wire.end);
}
