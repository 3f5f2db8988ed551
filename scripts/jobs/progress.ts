import { duration } from '../../views/time.ts';
import type { Progress } from './answers.ts';

const BAR = 20;
const EVERY_MS = 1000;

/** What a line of progress needs of a stream. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * How far a run is, on one line of a terminal that is written over and over; on anything else,
 * nothing.
 */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #since = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #progress: Progress | null = null;

  constructor(screen: Screen) {
    this.#screen = screen;
    if (screen.isTTY !== true) return;
    this.#timer = setInterval(() => this.#draw(), EVERY_MS);
    this.#draw();
  }

  show(progress: Progress | null): void {
    this.#progress = progress;
    this.#draw();
  }

  /** Prints something else above it. */
  above(print: () => void): void {
    this.#clear();
    print();
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    if (this.#screen.isTTY !== true) return;
    const room = (this.#screen.columns ?? 80) - 1;
    const text = progressText(this.#progress, performance.now() - this.#since);
    this.#screen.write(`\r\u001b[K${text.slice(0, room)}`);
  }

  #clear(): void {
    if (this.#screen.isTTY === true) this.#screen.write('\r\u001b[K');
  }
}

/** `[#####---------------] 25/100  12 s`, or as much of it as is known. */
export function progressText(progress: Progress | null, elapsedMs: number): string {
  const took = elapsedMs < 1000 ? '0 s' : duration(Math.floor(elapsedMs / 1000) * 1000);
  const { done, total } = progress ?? {};
  if (typeof done !== 'number') return took;
  if (typeof total !== 'number' || total <= 0) return `${done}  ${took}`;
  const full = Math.round(BAR * Math.min(1, Math.max(0, done / total)));
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${done}/${total}  ${took}`;
}
