import type { Deps } from './deps.ts';
import { describeError } from './outcome.ts';
import { isBilled, type Store } from './store.ts';
import { isInstant, sleep, type Instant } from './time.ts';

/**
 * The last wake-up, whoever sent it. Each process knows its own exactly; for the others to see, it
 * is noted in the store from time to time.
 */
export interface LastWake {
  readonly at: Instant;
  /** How many runs it started. */
  readonly started: number;
  /** How long the first of what was due had waited for it; 0 where nothing was due. */
  readonly lagMs: number;
}

const metaKey = (namespace: string): string => `tick:${namespace}`;
/** A wake-up's answer waits no longer than this for its note. */
const NOTE_WITHIN_MS = 2000;

/** What was last noted; undefined where nothing was, or somebody put something else there. */
export async function readLastWake(
  store: Pick<Store, 'readMeta'>,
  namespace: string,
): Promise<LastWake | undefined> {
  const found = await store.readMeta(metaKey(namespace));
  const { at, started, lagMs }: Record<string, unknown> = Object(found?.value);
  const whole = isInstant(at) && typeof started === 'number' && typeof lagMs === 'number';
  return whole ? { at, started, lagMs } : undefined;
}

export interface Wakes {
  /** Of this process; null before the first. */
  readonly last: LastWake | null;
  /** Resolves once it is noted, where it is time for that. Never rejects. */
  heard(deps: NoteDeps, wake: LastWake): Promise<void>;
}

type NoteDeps = Pick<Deps, 'store' | 'clock' | 'timing' | 'namespace' | 'log'>;

/**
 * Keeps the last wake-up, and notes one at most every `seenEveryMs`. Where that is billed, not the
 * first: a start there must cost no more than it has to.
 */
export function keepWakes(): Wakes {
  let last: LastWake | null = null;
  let notedAt: number | undefined;
  return {
    get last() {
      return last;
    },
    async heard(deps, wake) {
      last = wake;
      const { clock, store, timing } = deps;
      const now = clock.monotonic();
      notedAt ??= isBilled(store) ? now : -Infinity;
      // Where writing failed, each wake-up finds out whether it works again.
      const failing = typeof store.trouble === 'string';
      if (now - notedAt < timing.seenEveryMs && !failing) return;
      notedAt = now;
      const enough = new AbortController();
      const noted = noteWake(deps, wake).finally(() => enough.abort());
      await Promise.race([noted, sleep(clock, NOTE_WITHIN_MS, enough.signal)]);
    },
  };
}

/** Of two that note at once one is enough. */
async function noteWake({ store, namespace, log }: NoteDeps, wake: LastWake): Promise<void> {
  try {
    const key = metaKey(namespace);
    const found = await store.readMeta(key);
    await store.writeMeta(key, wake, found?.version);
  } catch (error) {
    log('debug', 'wake_not_noted', { error: describeError(error).message });
  }
}
