import type { Report } from '../../core/isolate.ts';
import { LOG_LIMIT, sizeOf } from '../../core/log-line.ts';
import type { LogLine, Progress } from '../../core/records.ts';
import type { Cancel, Clock } from '../../core/time.ts';

/** So many lines may be on their way: what comes faster than it is heard waits, or is dropped. */
const MOST_OUT = 1000;
/** Messages in a stretch of time: each costs the service some time, and more say no more. */
const MOST_MESSAGES = 20;
const STRETCH_MS = 100;

/**
 * Sends a handler's lines and progress at once, as long as these are few; more come in bundles. It
 * needs no turn of the loop for it, which a handler that never yields does not give.
 */
export class Outbox {
  readonly #clock: Clock;
  readonly #post: (report: Report) => void;
  readonly #look: () => void;
  #lines: LogLine[] = [];
  #size = 0;
  #dropped = 0;
  #progress: Progress | null = null;
  #out = 0;
  #messages = 0;
  #since = -Infinity;
  #later: Cancel | undefined;

  /** `look` takes what was said meanwhile: that lines were heard, for one. */
  constructor(given: {
    readonly clock: Clock;
    readonly post: (report: Report) => void;
    readonly look: () => void;
  }) {
    this.#clock = given.clock;
    this.#post = given.post;
    this.#look = given.look;
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    this.#size += sizeOf(line);
    while (this.#size > LOG_LIMIT) {
      const dropped = this.#lines.shift();
      if (dropped === undefined) break;
      this.#size -= sizeOf(dropped);
      this.#dropped += 1;
    }
    this.#offer();
  }

  readonly progress = (progress: Progress): void => {
    this.#progress = progress;
    this.#offer();
  };

  heard(lines: number): void {
    this.#out = Math.max(0, this.#out - lines);
  }

  /** All that is left, however much is on its way. */
  flush(): void {
    this.#later?.();
    if (this.#lines.length === 0 && this.#progress === null) return;
    this.#send();
  }

  #offer(): void {
    if (this.#mayGo()) return this.#send();
    this.#later ??= this.#clock.after(STRETCH_MS, () => {
      this.#later = undefined;
      if (this.#lines.length > 0 || this.#progress !== null) this.#offer();
    });
  }

  #mayGo(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#since >= STRETCH_MS) {
      this.#since = now;
      this.#messages = 0;
      if (this.#out > 0) this.#look();
    }
    return this.#messages < MOST_MESSAGES && this.#out < MOST_OUT;
  }

  #send(): void {
    this.#messages += 1;
    this.#out += this.#lines.length;
    const [lines, dropped, progress] = [this.#lines, this.#dropped, this.#progress];
    this.#lines = [];
    this.#size = 0;
    this.#dropped = 0;
    this.#progress = null;
    this.#post({ kind: 'told', lines, dropped, progress });
  }
}
