import { apply, newIntent } from './apply.ts';
import { definitionHash, type Definition } from './define.ts';
import type { Deps } from './deps.ts';
import type { Job } from './job.ts';
import { describeError } from './outcome.ts';
import type { JobRecord } from './records.ts';
import { isBilled, StoreUnavailable, type Store, type Version } from './store.ts';
import { isAhead, sleep, type Instant } from './time.ts';

/**
 * Brings the store's definitions in line with this build's. Of several builds that are alive the
 * newest one's hold, also while traffic is split; an older one (a rollback) takes over when no
 * newer one has been seen for a while, or at once when told to adopt.
 */

interface BuildSeen {
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
}

interface RegistryMeta {
  readonly builds: Readonly<Record<string, BuildSeen>>;
  /** Hash of each job's definition, as the build in force left it. */
  readonly jobs: Readonly<Record<string, string>>;
  /** When the records were last looked at, one and all. */
  readonly checkedAt: Instant;
}

const metaKey = (namespace: string): string => `registry:${namespace}`;
const BUILDS_LIMIT = 20;
const TRIES = 50;
const CHECK_EVERY_TICKS = 60;
const DEFINE_WITHIN_MS = 30_000;

/**
 * Notes that this build is alive and, if it is the one in force, defines what changed and retires
 * what is gone. With `adopt` it becomes the newest. With `check`, the records are looked at too:
 * one that was deleted, restored or left behind is put right. True if this build's definitions are
 * in force.
 */
export async function registerJobs(
  deps: Deps,
  { adopt, check }: { readonly adopt: boolean; readonly check: boolean },
): Promise<boolean> {
  const seen = await note(deps, adopt);
  if (!inForce(deps, seen.meta, seen.now)) return false;

  const looks = check && isWorthALook(deps, seen);
  const onRecord = looks ? await jobsOnRecord(deps.store) : undefined;
  const hashes: Record<string, string> = {};
  for (const job of deps.registry.values()) {
    const definition = definitionOf(deps, job);
    const hash = definitionHash(definition);
    const stands = onRecord === undefined || goesBy(onRecord.get(job.name), hash);
    const known = seen.meta.jobs[job.name] === hash && stands;
    if (known || (await defineJob(deps, definition))) hashes[job.name] = hash;
  }
  const gone = goneFrom(deps, seen.meta, onRecord);
  // A newer build notes itself before it defines anything, so by now its note would be there.
  if (gone.length > 0 && !(await isStillInForce(deps))) return false;
  for (const name of gone) {
    await applied(deps, { job: name, op: 'retire', event: { kind: 'retire' } });
  }
  const changed = JSON.stringify(hashes) !== JSON.stringify(seen.meta.jobs);
  if (changed || (looks && isBilled(deps.store))) {
    const checked = looks ? { checkedAt: seen.now } : {};
    await update(deps, (meta) => ({ ...meta, jobs: hashes, ...checked }));
  }
  return true;
}

/** Where each record read is billed, a start looks at them only after a deploy, or hourly. */
function isWorthALook(deps: Deps, { meta, now, isNew }: Noted): boolean {
  return (
    !isBilled(deps.store) || isNew || now - meta.checkedAt >= CHECK_EVERY_TICKS * deps.timing.tickMs
  );
}

const goesBy = (record: JobRecord | undefined, hash: string): boolean =>
  record?.specHash === hash && record.retiredAt === null;

async function isStillInForce(deps: Deps): Promise<boolean> {
  const found = await deps.store.readMeta(metaKey(deps.namespace));
  const { storeNow } = await deps.store.time();
  return inForce(deps, upTo(storeNow, readMeta(found?.value)), storeNow);
}

/**
 * Jobs that are in the store, but no longer in the code. Only the records know what a build
 * defined that died before it had noted it.
 */
function goneFrom(
  { registry, namespace }: Deps,
  meta: RegistryMeta,
  onRecord: ReadonlyMap<string, JobRecord | undefined> | undefined,
): string[] {
  const names = new Set(Object.keys(meta.jobs));
  for (const [name, record] of onRecord ?? []) {
    if (record?.namespace === namespace && record.retiredAt === null) names.add(name);
  }
  return [...names].filter((name) => !registry.has(name));
}

/**
 * Says from time to time that this build is alive, and takes over when it has become the newest.
 * `also` is called each time, for what else is noted that often.
 */
export function keepRegistered(
  deps: Deps,
  also: () => Promise<void>,
): { start(): void; stop(): void } {
  let stopped = false;
  let cancel = (): void => undefined;
  const again = (): void => {
    if (stopped) return;
    cancel = deps.clock.after(deps.timing.seenEveryMs, () => {
      void registerJobs(deps, { adopt: false, check: true })
        .catch((error: unknown) =>
          deps.log('warn', 'register_failed', { error: describeError(error).message }),
        )
        .then(also)
        .finally(again);
    });
  };
  const stop = (): void => {
    stopped = true;
    cancel();
  };
  return { start: again, stop };
}

/** Registers one job whose record is missing, if this build's definitions are in force. */
export async function registerJob(deps: Deps, name: string): Promise<void> {
  const job = deps.registry.get(name);
  if (job === undefined) return;
  if (!(await isStillInForce(deps))) return;
  await defineJob(deps, definitionOf(deps, job));
}

const defineJob = (deps: Deps, definition: Definition): Promise<boolean> =>
  applied(deps, { job: definition.name, op: 'define', event: { kind: 'define', definition } });

/** False where it can't be done to this one job, which is said and keeps no other from it. */
async function applied(
  deps: Deps,
  wish: Pick<Parameters<typeof newIntent>[1], 'job' | 'op' | 'event'>,
): Promise<boolean> {
  const result = await apply(deps, newIntent(deps, wish, DEFINE_WITHIN_MS)).catch(
    (error: unknown) => {
      const { message } = describeError(error);
      deps.log('error', `${wish.op}_failed`, { job: wish.job, error: message });
    },
  );
  if (result === undefined) return false;
  if (result.kind === 'unknown' || result.kind === 'unavailable') {
    throw new StoreUnavailable(`could not ${wish.op} job "${wish.job}"`, { cause: result.cause });
  }
  if (result.kind === 'applied') deps.runner.onChange();
  if (result.kind !== 'refused') return true;
  const { namespace } = deps;
  deps.log('error', `${wish.op}_refused`, { job: wish.job, why: result.why, namespace });
  return false;
}

export const definitionOf = (deps: Deps, job: Job): Definition => ({
  name: job.name,
  namespace: deps.namespace,
  schedule: job.schedule,
  timeZone: job.timeZone,
  spec: { ...job.spec, leaseMs: job.spec.leaseMs ?? deps.timing.leaseMs },
  zoneData: deps.zoneData,
});

interface Noted {
  readonly meta: RegistryMeta;
  readonly now: Instant;
  /** Whether nobody had heard of this build. */
  readonly isNew: boolean;
}

async function note(deps: Deps, adopt: boolean): Promise<Noted> {
  let isNew = false;
  const noted = await update(deps, (meta, now) => {
    isNew = meta.builds[deps.build] === undefined;
    return noteBuild(deps, meta, now, adopt);
  });
  return { ...noted, isNew };
}

function noteBuild(deps: Deps, meta: RegistryMeta, now: Instant, adopt: boolean): RegistryMeta {
  const before = meta.builds[deps.build];
  // Fresh enough: an instance that starts often need not write each time.
  const fresh = before !== undefined && now - before.lastSeenAt < deps.timing.seenEveryMs / 2;
  if (fresh && !adopt) return meta;
  const newestSeenAt = Math.max(...Object.values(meta.builds).map((one) => one.firstSeenAt));
  const firstSeenAt =
    before === undefined || adopt ? Math.max(now, newestSeenAt + 1) : before.firstSeenAt;
  const own = { firstSeenAt, lastSeenAt: now };
  const builds = { ...meta.builds, [deps.build]: own };
  const newest = Object.entries(builds)
    .toSorted(([, a], [, b]) => b.firstSeenAt - a.firstSeenAt)
    .slice(0, BUILDS_LIMIT);
  return { ...meta, builds: { ...Object.fromEntries(newest), [deps.build]: own } };
}

/** True unless a newer build was seen a short while ago. */
function inForce(deps: Deps, meta: RegistryMeta, now: Instant): boolean {
  const own = meta.builds[deps.build]?.firstSeenAt ?? now;
  return !Object.entries(meta.builds).some(
    ([build, { firstSeenAt, lastSeenAt }]) =>
      build !== deps.build && firstSeenAt > own && lastSeenAt > now - deps.timing.rollbackAfterMs,
  );
}

/** Changes the registry's small document by compare-and-set. */
async function update(
  deps: Deps,
  change: (meta: RegistryMeta, now: Instant) => RegistryMeta,
): Promise<{ readonly meta: RegistryMeta; readonly now: Instant }> {
  const key = metaKey(deps.namespace);
  for (let turn = 0; turn < TRIES; turn++) {
    const found = await deps.store.readMeta(key);
    // After that reply, which may have brought it along.
    const { storeNow } = await deps.store.time();
    const version: Version | undefined = found?.version;
    const before = readMeta(found?.value);
    assertNotMoving(found?.value);
    const meta = change(upTo(storeNow, before), storeNow);
    if (meta === before) return { meta, now: storeNow };
    if (await deps.store.writeMeta(key, meta, version)) return { meta, now: storeNow };
    await sleep(deps.clock, 20 * (0.5 + deps.random()));
  }
  throw new StoreUnavailable('could not note this build: too many others are doing so');
}

/** A store that is being filled from another must not be served: half of it is not there yet. */
function assertNotMoving(value: unknown): void {
  const source: unknown = Reflect.get(Object(value), 'moving');
  if (typeof source !== 'string') return;
  throw new Error(
    `this store is being filled from ${source}: wait until npm run store:copy is done, ` +
      'or go on with it if it was interrupted',
  );
}

/**
 * What stands in the store may have been edited by hand: anything odd in it counts as not there.
 */
function readMeta(value: unknown): RegistryMeta {
  const builds: Record<string, BuildSeen> = {};
  for (const [build, seen] of Object.entries(Object(Reflect.get(Object(value), 'builds') ?? {}))) {
    const firstSeenAt: unknown = Reflect.get(Object(seen), 'firstSeenAt');
    const lastSeenAt: unknown = Reflect.get(Object(seen), 'lastSeenAt');
    if (typeof firstSeenAt !== 'number' || typeof lastSeenAt !== 'number') continue;
    builds[build] = { firstSeenAt, lastSeenAt };
  }
  const jobs: Record<string, string> = {};
  for (const [name, hash] of Object.entries(Object(Reflect.get(Object(value), 'jobs') ?? {}))) {
    if (typeof hash === 'string') jobs[name] = hash;
  }
  const checkedAt: unknown = Reflect.get(Object(value), 'checkedAt');
  return { builds, jobs, checkedAt: typeof checkedAt === 'number' ? checkedAt : 0 };
}

/**
 * The same, where the clock was not set back since. Else a build that was seen by a clock that was
 * years ahead would keep all later ones from being in force for years.
 */
function upTo(now: Instant, meta: RegistryMeta): RegistryMeta {
  const times = Object.values(meta.builds).flatMap((one) => [one.firstSeenAt, one.lastSeenAt]);
  if (![...times, meta.checkedAt].some((at) => isAhead(at, now))) return meta;
  const builds = Object.entries(meta.builds).map(([build, { firstSeenAt, lastSeenAt }]) => [
    build,
    { firstSeenAt: Math.min(firstSeenAt, now), lastSeenAt: Math.min(lastSeenAt, now) },
  ]);
  return { ...meta, builds: Object.fromEntries(builds), checkedAt: Math.min(meta.checkedAt, now) };
}

/** The build of a namespace that was alive last, and when that was noted; undefined for none. */
export async function lastAlive(
  store: Store,
  namespace: string,
): Promise<{ readonly build: string; readonly at: Instant } | undefined> {
  const found = await store.readMeta(metaKey(namespace));
  const { builds } = readMeta(found?.value);
  const seen = Object.entries(builds).map(([build, { lastSeenAt: at }]) => ({ build, at }));
  return seen.toSorted((a, b) => b.at - a.at)[0];
}

/** A build that was alive. */
export interface Build extends BuildSeen {
  readonly build: string;
  /** Whether its definitions hold: it is the newest of those that were alive a short while ago. */
  readonly inForce: boolean;
}

/** The builds of a namespace that are remembered, the newest first. */
export async function buildsSeen(
  { store, namespace, timing }: Pick<Deps, 'store' | 'namespace' | 'timing'>,
  now: Instant,
): Promise<Build[]> {
  const found = await store.readMeta(metaKey(namespace));
  const builds = Object.entries(upTo(now, readMeta(found?.value)).builds)
    .map(([build, seen]) => ({ build, ...seen }))
    .toSorted((a, b) => b.firstSeenAt - a.firstSeenAt);
  const alive = builds.find(({ lastSeenAt }) => lastSeenAt > now - timing.rollbackAfterMs);
  return builds.map((one) => ({ ...one, inForce: one.build === alive?.build }));
}

const PAGE = 500;

export async function jobsOnRecord(
  store: Store,
): Promise<ReadonlyMap<string, JobRecord | undefined>> {
  const found = new Map<string, JobRecord | undefined>();
  let after: string | undefined;
  for (;;) {
    const page = await store.listJobs({ limit: PAGE, ...(after !== undefined && { after }) });
    for (const { name, record } of page) found.set(name, record);
    after = page.at(-1)?.name;
    if (page.length < PAGE) return found;
  }
}
