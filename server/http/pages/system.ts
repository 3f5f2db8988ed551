import { readFileSync } from 'node:fs';
import { Router } from 'express';
import {
  systemBody,
  type HeldLease,
  type SystemView,
  type Waiting,
} from '../../../views/system.ts';
import { PROCESS } from '../../core/carrier.ts';
import { NO_COST, plus, type Cost } from '../../core/cost.ts';
import type { Deps } from '../../core/deps.ts';
import { expiryOf } from '../../core/draft.ts';
import { readInstances } from '../../core/instances.ts';
import { readLastWake, type LastWake } from '../../core/last-wake.ts';
import { buildsSeen } from '../../core/register.ts';
import { readSchedulerNote, triggersHash, type SchedulerNote } from '../../core/scheduler-note.ts';
import { readSelfAudit } from '../../core/self-audit.ts';
import { isAhead, type Instant } from '../../core/time.ts';
import type { JobList, JobsSeen } from './job-list.ts';
import { showAt } from './show.ts';

const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

/**
 * What the service is made of, and whether all is well with it. Five reads, six where Cloud
 * Scheduler has a part in it: the jobs that changed, and one small document each for the instances,
 * the last wake-up, the builds, the self-audit and Cloud Scheduler.
 */
export function systemRoutes(deps: Deps, jobList: JobList): Router {
  const router = Router();

  showAt(router, '/system', deps, async (asked) => {
    const view = await readSystem(asked, deps, jobList);
    return {
      title: 'System',
      section: 'system',
      now: view.now,
      live: true,
      body: systemBody(view),
    };
  });
  return router;
}

/**
 * What there is to say of the service, for pages and programs. `deps` are those of the service,
 * whose store counts what is asked of it; `asked` may be others that count for a page.
 */
export async function readSystem(asked: Deps, deps: Deps, jobList: JobList): Promise<SystemView> {
  const { store, namespace, registry, timing, carrier, trouble, wakes } = asked;
  const byTimer = carrier === PROCESS;
  const seen = await jobList.read(store);
  const [skew, instances, noted, audit, note] = await Promise.all([
    measureSkew(asked),
    readInstances(store, namespace),
    readLastWake(store, namespace),
    readSelfAudit(store, namespace),
    byTimer ? undefined : readSchedulerNote(store, namespace),
  ]);
  const { now } = seen;
  const costs = deps.store.costs();
  return {
    now,
    timing,
    startedAt: Math.floor(performance.timeOrigin),
    process: processFacts(asked),
    store: { place: store.place, trouble: deps.store.trouble ?? null, ...skew },
    wake: {
      by: byTimer ? 'timer' : 'tick',
      last: later(heardBy(now, wakes.last), heardBy(now, noted ?? null)),
      trouble: trouble(),
    },
    scheduler: byTimer ? null : schedulerFacts(note, asked, seen),
    instances,
    builds: await buildsSeen(asked, now),
    leases: leasesIn(seen),
    waiting: waitingIn(seen),
    overdue: overdueIn(seen, timing.lateAfterMs),
    broken: seen.jobs.flatMap(({ name, problem }) => (problem === null ? [] : [{ name, problem }])),
    audit,
    auditJob: registry.has('self-audit'),
    calls: deps.store.calls,
    costs,
    total: [...(costs?.values() ?? [])].reduce<Cost>(plus, NO_COST),
  };
}

/** The store's time against this process's clock, which was read before and after. */
async function measureSkew({ store, clock }: Pick<Deps, 'store' | 'clock'>) {
  const before = clock.wall();
  const { storeNow, unsteady } = await store.time();
  const after = clock.wall();
  const skewMs = storeNow - (before + after) / 2;
  return { unsteady, skewMs, skewWithinMs: Math.max(0, after - before) / 2 };
}

function processFacts(deps: Deps): SystemView['process'] {
  const { owner, build, namespace, zoneData, registry, runner } = deps;
  const { node, sqlite = 'none' } = process.versions;
  return {
    owner,
    build,
    namespace,
    versions: { punctual: version, node, sqlite },
    zones: zoneData,
    memoryBytes: process.memoryUsage.rss(),
    jobs: registry.size,
    running: runner.running,
    full: runner.full,
    draining: runner.draining || runner.retiring,
  };
}

/** A wake-up that lies ahead came before the clock was set back: it says nothing of today's. */
const heardBy = (now: Instant, wake: LastWake | null): LastWake | null =>
  wake !== null && isAhead(wake.at, now) ? null : wake;

const later = (a: LastWake | null, b: LastWake | null): LastWake | null =>
  a === null || (b !== null && b.at > a.at) ? b : a;

function schedulerFacts(
  note: SchedulerNote | undefined,
  { registry }: Deps,
  { jobs }: JobsSeen,
): SystemView['scheduler'] {
  const still = new Set(jobs.flatMap(({ name, paused }) => (paused?.until === null ? [name] : [])));
  return {
    note,
    changed: note !== undefined && note.registry !== triggersHash(registry),
    resumed: note?.paused.filter((name) => registry.has(name) && !still.has(name)) ?? [],
  };
}

const recordsIn = ({ loaded }: JobsSeen) => loaded.flatMap(({ record }) => record ?? []);

function leasesIn(seen: JobsSeen): HeldLease[] {
  return recordsIn(seen)
    .flatMap(({ name: job, active }) =>
      Object.values(active).map((lease) => {
        return { ...lease, job, endsAt: expiryOf(lease, seen.now) };
      }),
    )
    .toSorted((a, b) => a.startedAt - b.startedAt);
}

function waitingIn(seen: JobsSeen): Waiting[] {
  return recordsIn(seen)
    .flatMap(({ name: job, retries, queue }) => [
      ...retries.map(({ runId, since, notBefore: until }) => {
        return { job, runId, state: 'retry_wait', since, until } as const;
      }),
      ...queue.map(({ runId, since }) => {
        return { job, runId, state: 'queued', since, until: null } as const;
      }),
    ])
    .toSorted((a, b) => a.since - b.since);
}

/** What is set aside is left alone until a stated time, and is told of anyway. */
const overdueIn = ({ jobs, loaded, now }: JobsSeen, lateAfterMs: number): string[] =>
  loaded.flatMap(({ name, record }, i) => {
    const at: Instant = record?.nextActionAt ?? Infinity;
    return at < now - lateAfterMs && jobs[i]?.problem === null ? [name] : [];
  });
