/** By then the first wake-up is over, too. */
const AFTER_MS = 5000;

/**
 * Gives back what a start leaves behind: 8 MiB that a process which then has nothing to do would
 * keep for good, as nothing makes V8 look at them.
 */
export function collectAfterStart(): void {
  setTimeout(() => void collectYoung().catch(() => undefined), AFTER_MS).unref();
}

/**
 * Collects what was made lately, which takes a millisecond or two; V8 gives what gets free by that
 * back to the system some seconds later.
 */
export async function collectYoung(): Promise<void> {
  const collect = await collector();
  collect({ type: 'minor' });
}

/**
 * V8's collector, which looks at everything unless it is told otherwise. A context that is made
 * after the flag was set is the one way to it for a process that was started without it.
 */
export async function collector(): Promise<(what?: { readonly type: 'minor' }) => void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import('node:v8'),
    import('node:vm'),
  ]);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}
