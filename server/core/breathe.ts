/** Lets timers and requests have their turn: with a store in this process nothing else waits. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
