import type { JobLog } from './context.ts';
import type { Deps, Level } from './deps.ts';
import { jobLog, lineOf, LOG_LIMIT, sizeOf, type Said } from './log-line.ts';
import { describeError } from './outcome.ts';
import type { LogChunk, LogLine, Progress } from './records.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import { isBilled } from './store.ts';
import type { Cancel } from './time.ts';

const CHUNK_LIMIT = 64 * 1024;
/** A log on the screen is at most this far behind, where writing is free. */
const FLUSH_MS = 1000;
/** Chunks of one attempt are numbered from a place of their own, so that attempts never collide. */
const CHUNKS_PER_ATTEMPT = 1_000_000;

/** Collects an attempt's lines and saves them in bounded chunks, at most a second behind. */
export class LogBuffer {
  readonly #deps: Deps;
  readonly #runId: string;
  readonly #scrubber: Scrubber;
  readonly #firstChunk: number;
  readonly #flushMs: number;
  readonly #mayWrite: () => boolean;
  /** Sizes of the chunks that are kept, oldest first. */
  readonly #saved: { n: number; size: number }[] = [];
  #lines: LogLine[] = [];
  #size = 0;
  #n: number;
  #first = 0;
  #progress: Progress | null = null;
  #progressNew = false;
  #timer: Cancel | undefined;
  #saving: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(
    deps: Deps,
    of: {
      readonly runId: string;
      readonly attempt: number;
      readonly scrubber: Scrubber;
      /** Whether the lease is held: without it nothing is saved but with the end, if that holds. */
      readonly mayWrite: () => boolean;
    },
  ) {
    const { runId, attempt, scrubber } = of;
    this.#mayWrite = of.mayWrite;
    this.#deps = deps;
    this.#runId = runId;
    this.#scrubber = scrubber;
    // Where each write is billed, the log goes with the beats.
    this.#flushMs = isBilled(deps.store) ? deps.timing.renewEveryMs : FLUSH_MS;
    this.#firstChunk = (attempt - 1) * CHUNKS_PER_ATTEMPT;
    this.#n = this.#firstChunk;
  }

  start(): void {
    this.#timer = this.#deps.clock.after(this.#flushMs, () => {
      this.flush();
      if (!this.#ended) this.start();
    });
  }

  /** The function that handlers call. */
  forHandler(): JobLog {
    return jobLog((said) => this.#say(said));
  }

  /** A line of our own about the attempt. */
  system(level: Level, text: string): void {
    this.#say({ level, text: `punctual: ${text}`, fields: undefined });
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#progressNew = true;
  }

  #say(said: Said): void {
    if (!this.#ended) this.add(lineOf(said, this.#deps.clock.wall(), this.#scrubber));
  }

  /** A line as it is kept. */
  add(line: LogLine): void {
    if (this.#ended) return;
    this.#lines.push(line);
    this.#size += sizeOf(line);
    while (this.#size > LOG_LIMIT) {
      const dropped = this.#lines.shift();
      if (dropped === undefined) break;
      this.#size -= sizeOf(dropped);
      this.#first++;
    }
  }

  /** Saves what has come in. A failure is retried with the next flush: nothing is thrown away. */
  flush(): void {
    if (!this.#mayWrite()) return;
    this.#saving = this.#saving.then(async () => {
      for (;;) {
        const chunk = this.#peek();
        if (chunk === undefined) return;
        try {
          await this.#deps.store.appendLog(chunk);
        } catch (error) {
          const { message } = describeError(error);
          return this.#deps.log('warn', 'log_not_saved', { run: this.#runId, error: message });
        }
        this.#drop(chunk);
      }
    });
  }

  /** Stops, and gives the last chunks to be written with the run's end. */
  async end(): Promise<LogChunk[]> {
    this.#ended = true;
    this.#timer?.();
    await this.#saving;
    const chunks: LogChunk[] = [];
    for (let chunk = this.#peek(); chunk !== undefined; chunk = this.#peek()) {
      chunks.push(chunk);
      this.#drop(chunk);
    }
    return chunks;
  }

  /** The next chunk to save, with the oldest chunks it drives out. */
  #peek(): LogChunk | undefined {
    if (this.#lines.length === 0 && !this.#progressNew) return undefined;
    const lines: LogLine[] = [];
    let size = 0;
    for (const line of this.#lines) {
      size += sizeOf(line);
      if (size > CHUNK_LIMIT && lines.length > 0) break;
      lines.push(line);
    }
    const n = this.#n;
    const kept = keepWithin([...this.#saved, { n, size }]);
    const [oldest = { n }] = kept;
    const keepFrom = kept.length > this.#saved.length ? 0 : oldest.n;
    const first = this.#first;
    return { runId: this.#runId, n, first, lines, progress: this.#progress, keepFrom };
  }

  #drop(chunk: LogChunk): void {
    if (this.#progress === chunk.progress) this.#progressNew = false;
    // Progress alone leaves its number to what comes next: hours of it are still one chunk.
    if (chunk.lines.length === 0) return;
    const size = chunk.lines.reduce((sum, line) => sum + sizeOf(line), 0);
    // Lines of this chunk may have been dropped while it was being saved.
    const left = Math.max(0, chunk.first + chunk.lines.length - this.#first);
    for (const line of this.#lines.splice(0, left)) this.#size -= sizeOf(line);
    this.#first += left;
    this.#saved.push({ n: chunk.n, size });
    while (this.#saved[0] !== undefined && this.#saved[0].n < chunk.keepFrom) this.#saved.shift();
    this.#n++;
  }
}

function keepWithin(chunks: { n: number; size: number }[]): { n: number; size: number }[] {
  let total = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
  let from = 0;
  while (total > LOG_LIMIT && from < chunks.length - 1) total -= chunks[from++]?.size ?? 0;
  return chunks.slice(from);
}
