import { existsSync } from 'node:fs';
import type { Config } from '../server/config.ts';
import { describeError } from '../server/core/outcome.ts';
import type { Pause } from '../server/core/records.ts';
import { jobsOnRecord, lastAlive } from '../server/core/register.ts';
import type { Registry } from '../server/core/registry.ts';
import type { Store } from '../server/core/store.ts';
import { sleep, type Clock, type Instant } from '../server/core/time.ts';
import { openStore } from '../server/stores/open.ts';
import { count, duration } from '../views/time.ts';
import { bad, ok, skip, warn, type Finding } from './doctor-finding.ts';

/** What the store says of a deployment. It is read, and nothing in it is changed. */

export interface StoreSeen {
  readonly findings: readonly Finding[];
  /** The pauses by job; null where the store did not say. */
  readonly pauses: ReadonlyMap<string, Pause> | null;
}

const CHECKS = ['store', 'clock', 'records', 'awake', 'indexes'] as const;

export const storeSkipped = (why: string): Finding[] => CHECKS.map((check) => skip(check, why));

/** Asks the store what it can be asked. `registry` is undefined where the jobs have faults. */
export async function storeFindings(
  config: Config,
  registry: Registry | undefined,
  clock: Clock,
): Promise<StoreSeen> {
  if (config.store === 'sqlite' && !existsSync(config.db)) {
    const says = `there is no database ${config.db}`;
    const todo = 'the first start makes it; if there should be one, set PUNCTUAL_DB to its path';
    const [, ...others] = storeSkipped('there is no store yet');
    return { findings: [warn('store', says, todo), ...others], pauses: null };
  }
  const who = await credentials(config, clock);
  if (who.mark === 'bad') {
    return { findings: [who, ...storeSkipped('there are no credentials')], pauses: null };
  }
  try {
    const store = await openStore(config, clock, () => undefined);
    try {
      const seen = await ask(store, config, registry, clock);
      return { ...seen, findings: [who, ...seen.findings] };
    } finally {
      await store.close();
    }
  } catch (error) {
    const [, ...others] = storeSkipped('the store was not reached');
    const down = bad('store', describeError(error).message, whatToDo(config));
    return { findings: [who, down, ...others], pauses: null };
  }
}

function whatToDo({ store, firestore }: Config): string {
  if (store === 'sqlite') return 'see that the file can be read, and is a database of Punctual';
  if (firestore.emulator !== null) return `start the emulator at ${firestore.emulator}`;
  return 'see that the project, the database and the role Cloud Datastore User are right';
}

/** Google's library goes on for minutes where there is no network. */
const CREDENTIALS_WITHIN_MS = 15_000;

async function credentials({ store, firestore }: Config, clock: Clock): Promise<Finding> {
  if (store === 'sqlite') return ok('credentials', 'none are needed for a file');
  if (firestore.emulator !== null) return ok('credentials', 'an emulator asks for none');
  const todo = 'gcloud auth application-default login makes some for this machine';
  const found = new AbortController();
  const tooLate = sleep(clock, CREDENTIALS_WITHIN_MS, found.signal).then(() => undefined);
  try {
    const { whoseCredentials } = await import('../server/google.ts');
    const who = await Promise.race([whoseCredentials(), tooLate]);
    if (who !== undefined) return ok('credentials', `Google knows ${who}`);
    const says = `Google did not confirm any within ${duration(CREDENTIALS_WITHIN_MS)}`;
    return bad('credentials', says, `see to the network; else ${todo}`);
  } catch (error) {
    return bad('credentials', describeError(error).message, todo);
  } finally {
    found.abort();
  }
}

async function ask(
  store: Store,
  config: Config,
  registry: Registry | undefined,
  clock: Clock,
): Promise<StoreSeen> {
  const span = { from: clock.wall(), to: 0 };
  const asked = clock.monotonic();
  const { storeNow, unsteady } = await store.time();
  const tookMs = clock.monotonic() - asked;
  span.to = clock.wall();
  const { findings, pauses } = await recordFindings(store, config, registry);
  return {
    findings: [
      ok('store', `${store.place}; the first read took ${duration(tookMs)}`),
      clockFinding(config, unsteady, storeNow, span),
      ...findings,
      await awakeFinding(store, config, storeNow),
      ...(await indexFindings(config, clock)),
    ],
    pauses,
  };
}

const SKEW_MS = 5000;

function clockFinding(
  { store }: Config,
  unsteady: string | null,
  storeNow: Instant,
  span: { readonly from: Instant; readonly to: Instant },
): Finding {
  if (unsteady !== null) {
    const todo = "wait for one lease, or see to this machine's clock";
    return warn('clock', `the store's clock is not steady: ${unsteady}`, todo);
  }
  if (store === 'sqlite') return ok('clock', "the store goes by this machine's, and is steady");
  const skewMs = skewOf(storeNow, span);
  if (Math.abs(skewMs) <= SKEW_MS) return ok('clock', "this machine's agrees with the store's");
  const way = skewMs > 0 ? 'ahead of' : 'behind';
  const says = `this machine's is ${duration(Math.abs(skewMs))} ${way} the store's`;
  const todo =
    'set it by NTP: the store decides by its own, but times in logs and tokens go by this one';
  return warn('clock', says, todo);
}

/** By how much a clock was surely ahead of another that was read between two of its readings. */
export function skewOf(
  other: Instant,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): number {
  if (other < from) return from - other;
  return other > to ? to - other : 0;
}

/** Whether the jobs are on record here, and are this namespace's. */
async function recordFindings(
  store: Store,
  { namespace, firestore }: Config,
  registry: Registry | undefined,
): Promise<StoreSeen> {
  const pauses = new Map<string, Pause>();
  const foreign: string[] = [];
  let ours = 0;
  for (const [name, record] of await jobsOnRecord(store)) {
    if (record === undefined) continue;
    if (record.namespace !== namespace) {
      if (registry?.has(name)) foreign.push(`job "${name}" is of namespace ${record.namespace}`);
      continue;
    }
    if (record.retiredAt === null) ours += 1;
    if (record.paused !== null) pauses.set(name, record.paused);
  }
  const findings = foreign.map((says) =>
    bad('records', says, 'give it another name: a name belongs to one namespace of a store'),
  );
  if (ours === 0) {
    const where = firestore.project === null ? '' : `, in project ${firestore.project}`;
    const says = `no job of namespace ${namespace} is on record${where}`;
    const todo = 'start the service once, or see that project, database and namespace are right';
    findings.push(warn('records', says, todo));
  } else {
    const also = pauses.size === 0 ? '' : `, ${pauses.size} paused`;
    findings.push(ok('records', `${count(ours, 'job')} of namespace ${namespace}${also}`));
  }
  return { findings, pauses };
}

/** A living server notes itself every five ticks, so this is soon enough to be sure. */
const ASLEEP_TIMES = 4;

async function awakeFinding(store: Store, config: Config, now: Instant): Promise<Finding> {
  const last = await lastAlive(store, config.namespace);
  if (last === undefined) return skip('awake', 'no server was ever started on this store');
  const agoMs = Math.max(0, now - last.at);
  const says = `a server of build ${last.build} was last noted ${duration(agoMs)} ago`;
  if (agoMs <= ASLEEP_TIMES * config.timing.seenEveryMs) return ok('awake', says);
  const todo =
    config.wake === 'timer'
      ? 'start the service: nothing is decided while none runs'
      : 'see that the tick is there, and what its log says: nobody woke the service since';
  return warn('awake', says, todo);
}

async function indexFindings(config: Config, clock: Clock): Promise<Finding[]> {
  if (config.store === 'sqlite') return [ok('indexes', 'the database has its own')];
  const { project, database, emulator } = config.firestore;
  if (emulator !== null) {
    return [skip('indexes', 'an emulator answers without them, so nothing can be said of them')];
  }
  const { findProject } = await import('../server/stores/firestore.ts');
  const { Rpc } = await import('../server/stores/firestore-rpc.ts');
  const { missingIndexes } = await import('../server/stores/firestore-indexes.ts');
  const place = { project: project ?? (await findProject(emulator)), database, emulator };
  const rpc = new Rpc({ ...place, callMs: 5000 }, clock);
  try {
    const missing = await missingIndexes(rpc);
    if (missing.length === 0) return [ok('indexes', 'all queries have theirs')];
    const name = database === '(default)' ? '' : ` ${database}`;
    const todo = `npm run -s firestore:indexes -- ${place.project}${name} | sh, and some minutes`;
    return missing.map(({ index, why }) => bad('indexes', `${index}: ${why}`, todo));
  } finally {
    await rpc.close();
  }
}
