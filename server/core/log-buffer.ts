import { beginning } from './beginning.ts';
import type { JobLog } from './context.ts';
import type { Deps, Level } from './deps.ts';
import { describeError } from './outcome.ts';
import type { LogChunk, LogLine, Progress } from './records.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import { isBilled } from './store.ts';
import type { Cancel } from './time.ts';

/** How much of a run's log is kept; of a longer one the oldest part is dropped, and it says so. */
export const LOG_LIMIT = 512 * 1024;
const CHUNK_LIMIT = 64 * 1024;
const LINE_LIMIT = 8 * 1024;
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
    of: { readonly runId: string; readonly attempt: number; readonly scrubber: Scrubber },
  ) {
    const { runId, attempt, scrubber } = of;
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
    const at =
      (level: Level) =>
      (text: string, fields?: Readonly<Record<string, unknown>>): void =>
        this.#add(level, text, fields);
    const levels = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    };
    return Object.assign(at('info'), levels);
  }

  /** A line of our own about the attempt. */
  system(level: Level, text: string): void {
    this.#add(level, `punctual: ${text}`, undefined);
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#progressNew = true;
  }

  #add(level: Level, text: unknown, fields: Readonly<Record<string, unknown>> | undefined): void {
    if (this.#ended) return;
    const clean = this.#scrubber.text;
    const line: LogLine = {
      at: this.#deps.clock.wall(),
      level,
      text: bounded(typeof text === 'string' ? clean(text) : this.#shown(text)),
      fields: fields === undefined ? null : bounded(this.#shown(fields)),
    };
    this.#lines.push(line);
    this.#size += sizeOf(line);
    while (this.#size > LOG_LIMIT) {
      const dropped = this.#lines.shift();
      if (dropped === undefined) break;
      this.#size -= sizeOf(dropped);
      this.#first++;
    }
  }

  #shown(value: unknown): string {
    if (value instanceof Error) {
      const { name, message, stack } = describeError(value, this.#scrubber.text);
      return stack ?? `${name}: ${message}`;
    }
    return this.#scrubber.json(jsonOf(value));
  }

  /** Saves what has come in. A failure is retried with the next flush: nothing is thrown away. */
  flush(): void {
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

/** What a line costs in memory and in the store, about. */
const sizeOf = ({ text, fields }: LogLine): number => text.length + (fields?.length ?? 0) + 40;

const bounded = (text: string): string =>
  text.length <= LINE_LIMIT ? text : `${beginning(text, LINE_LIMIT)}… (${text.length} characters)`;

function jsonOf(value: unknown): string {
  try {
    const plain = (_: string, part: unknown): unknown =>
      typeof part === 'bigint' ? String(part) : part instanceof Error ? part.message : part;
    return JSON.stringify(value, plain) ?? String(value);
  } catch {
    return 'something that is not JSON';
  }
}
