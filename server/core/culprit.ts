import { AsyncLocalStorage } from 'node:async_hooks';

/** Whose code is running: who answers for a stray error, or for a call that would end it all. */
export interface Culprit {
  /** An error that did not come through the handler's own promise, and how it came. */
  fail(error: unknown, how: string): void;
}

const culprits = new AsyncLocalStorage<Culprit>();

/** The handler that the present call stems from, however many callbacks ago; undefined for none. */
export const currentCulprit = (): Culprit | undefined => culprits.getStore();

/** Runs `work`, and all that it starts, in the name of a handler. */
export const inTheNameOf = <Value>(culprit: Culprit, work: () => Value): Value =>
  culprits.run(culprit, work);
