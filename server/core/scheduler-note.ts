import { specHash } from './ids.ts';
import { changeMeta } from './meta.ts';
import type { Registry } from './registry.ts';
import type { Store } from './store.ts';
import { isInstant, type Instant } from './time.ts';

/**
 * What `npm run scheduler:sync` last found, kept for people to see: the service itself has no right
 * to look into Cloud Scheduler. Nothing is decided by it.
 */
export interface SchedulerNote {
  readonly at: Instant;
  readonly inSync: boolean;
  /** How many steps of each kind were left to do. */
  readonly steps: Readonly<Record<string, number>>;
  /** Stands for all that the code says of triggers, so that one sees whether that has changed. */
  readonly registry: string;
  /** Jobs whose triggers are paused, since they were paused themselves without an end. */
  readonly paused: readonly string[];
}

const metaKey = (namespace: string): string => `scheduler:${namespace}`;
const KINDS_LIMIT = 20;
const PAUSED_LIMIT = 1000;

/**
 * A hash of what the definitions say of triggers. A timeout that is not given may be the place's.
 */
export const triggersHash = (registry: Registry): string =>
  specHash(
    [...registry.values()]
      .map(({ name, schedule, timeZone, timeoutGiven, spec }) => {
        return [name, schedule, timeZone, timeoutGiven ? spec.timeoutMs : null] as const;
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

/** Undefined where none was kept, or somebody put something else there. */
export async function readSchedulerNote(
  store: Pick<Store, 'readMeta'>,
  namespace: string,
): Promise<SchedulerNote | undefined> {
  const found = await store.readMeta(metaKey(namespace));
  const { at, inSync, steps, registry, paused }: Record<string, unknown> = Object(found?.value);
  if (!isInstant(at) || typeof inSync !== 'boolean') return undefined;
  const counts = Object.entries(Object(steps)).flatMap(([kind, n]) =>
    typeof n === 'number' ? [[kind, n] as const] : [],
  );
  const names: unknown[] = Array.isArray(paused) ? paused : [];
  return {
    at,
    inSync,
    steps: Object.fromEntries(counts.slice(0, KINDS_LIMIT)),
    registry: typeof registry === 'string' ? registry : '',
    paused: names.filter((name) => typeof name === 'string').slice(0, PAUSED_LIMIT),
  };
}

/** Of several at once any may stand. */
export async function keepSchedulerNote(
  store: Pick<Store, 'readMeta' | 'writeMeta' | 'time'>,
  namespace: string,
  note: Omit<SchedulerNote, 'at'>,
): Promise<void> {
  await changeMeta(store, metaKey(namespace), { next: (_before, at) => ({ at, ...note }) });
}
