import type { Deps } from './deps.ts';
import { changeMeta } from './meta.ts';
import { describeError } from './outcome.ts';
import type { Store } from './store.ts';
import { AHEAD_MS, isInstant, sleep, type Instant } from './time.ts';

/**
 * Which processes serve a namespace, for people to see: each notes itself in one small document.
 * Nothing is decided by it, and nothing is hindered where noting fails.
 */

export interface Instance {
  /** Host and process id. */
  readonly owner: string;
  readonly build: string;
  /** When it was first noted. */
  readonly since: Instant;
  /** When it was last noted: one that ended without a word stays until it is forgotten. */
  readonly seenAt: Instant;
  /** How many attempts it had at work then. */
  readonly running: number;
}

const metaKey = (namespace: string): string => `instances:${namespace}`;
const FORGOTTEN_AFTER_MS = 86_400_000;
const INSTANCES_LIMIT = 20;

/** The processes of a namespace, the one last seen first. */
export async function readInstances(
  store: Pick<Store, 'readMeta'>,
  namespace: string,
): Promise<Instance[]> {
  const found = await store.readMeta(metaKey(namespace));
  return instancesOf(found?.value);
}

/** How a process notes itself, and takes its note away. Neither rejects. */
export interface InstanceNote {
  note(): Promise<void>;
  remove(): Promise<void>;
}

export function noteInstance(deps: Deps): InstanceNote {
  const { owner, build, namespace, runner, log, store, clock, random } = deps;
  let noted = false;
  let removed = false;
  let since: Instant | undefined;
  const own = (now: Instant): Instance => {
    since = Math.min(since ?? now, now);
    return { owner, build, since, seenAt: now, running: runner.running };
  };
  const change = async (next: (now: Instant) => Instance[]): Promise<void> => {
    try {
      const done = await changeMeta(store, metaKey(namespace), {
        next: (before, now) => {
          const others = instancesOf(before).filter((one) => one.owner !== owner);
          return valueOf([...others.filter((one) => isFresh(one, now)), ...next(now)]);
        },
        between: () => sleep(clock, 20 * (0.5 + random())),
      });
      if (done === undefined)
        log('debug', 'instance_not_noted', { error: 'others keep writing there' });
    } catch (error) {
      log('debug', 'instance_not_noted', { error: describeError(error).message });
    }
  };
  return {
    async note() {
      if (removed) return;
      noted = true;
      // A note that is under way at the end must not outlast it.
      await change((now) => (removed ? [] : [own(now)]));
    },
    async remove() {
      removed = true;
      if (noted) await change(() => []);
    },
  };
}

const isFresh = ({ seenAt }: Instance, now: Instant): boolean =>
  now - seenAt < FORGOTTEN_AFTER_MS && seenAt - now < AHEAD_MS;

/** As it stands in the store: the ones last seen, by their owners. */
function valueOf(all: readonly Instance[]): Record<string, Omit<Instance, 'owner'>> {
  const newest = all.toSorted((a, b) => b.seenAt - a.seenAt).slice(0, INSTANCES_LIMIT);
  return Object.fromEntries(newest.map(({ owner, ...rest }) => [owner, rest]));
}

/** No process gives itself a longer one. */
const NAME_LIMIT = 300;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= NAME_LIMIT;

/** What stands in the store may have been edited by hand: anything odd in it is passed over. */
function instancesOf(value: unknown): Instance[] {
  return Object.entries(Object(value))
    .flatMap(([owner, noted]) => {
      const { build, since, seenAt, running }: Record<string, unknown> = Object(noted);
      if (!isName(owner) || !isName(build) || !isInstant(since) || !isInstant(seenAt)) return [];
      const count = typeof running === 'number' && running >= 0 ? running : 0;
      return [{ owner, build, since, seenAt, running: count }];
    })
    .toSorted((a, b) => b.seenAt - a.seenAt);
}
