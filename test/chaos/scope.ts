/** Lasts as long as a test or a command does. */
export interface Scope {
  /** Has something put away when all is over. */
  onEnd(putAway: () => void | Promise<void>): void;
}

/** A scope that somebody ends: the last that came is put away first, and each of them is. */
export class OwnScope implements Scope {
  readonly #all: (() => void | Promise<void>)[] = [];

  onEnd(putAway: () => void | Promise<void>): void {
    this.#all.push(putAway);
  }

  async end(): Promise<void> {
    const failed: unknown[] = [];
    for (let next = this.#all.pop(); next !== undefined; next = this.#all.pop()) {
      try {
        await next();
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0) throw new AggregateError(failed, 'not all could be put away');
  }
}
