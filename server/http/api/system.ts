import type * as v from 'valibot';
import type { SystemView } from '../../../views/system.ts';
import type { Cost } from '../../core/cost.ts';
import { isInstant, isoInstant, type Instant } from '../../core/time.ts';
import { jobListOf, type JobsSeen } from '../pages/job-list.ts';
import { readSystem } from '../pages/system.ts';
import { endpoint, reply } from './endpoint.ts';
import { iso } from './shapes.ts';
import { LISTED, systemShape } from './system-shape.ts';

type Shape = v.InferOutput<typeof systemShape>;

const showSystem = endpoint({
  method: 'GET',
  path: '/system',
  id: 'getSystem',
  group: 'Service',
  scope: 'service',
  summary: 'What the service is made of, and whether all is well with it',
  description: 'For those alone who may see all jobs.',
  answers: { 200: { description: 'The service.', schema: systemShape } },
  problems: [],
  async handle(_given, { deps }) {
    const list = jobListOf(deps);
    const view = await readSystem(deps, deps, list);
    return reply(200, systemJson(view, await list.read(deps.store)));
  },
});

function systemJson(view: SystemView, { jobs, more }: JobsSeen): Shape {
  const { process, store, wake, timing, leases, waiting, overdue, broken } = view;
  const { last } = wake;
  return {
    now: isoInstant(view.now),
    process: { ...process, startedAt: isoInstant(view.startedAt) },
    leaseMs: timing.leaseMs,
    store,
    wakes: {
      by: wake.by,
      tickMs: timing.tickMs,
      last: last && { at: isoInstant(last.at), started: last.started, lagMs: last.lagMs },
      trouble: wake.trouble,
    },
    ...othersJson(view),
    counts: {
      jobs: jobs.length,
      incomplete: more,
      leases: leases.length,
      waiting: waiting.length,
      overdue: overdue.length,
      broken: broken.length,
    },
    leases: leases.slice(0, LISTED).map(leaseJson),
    waiting: waiting.slice(0, LISTED).map(waitingJson),
    overdue: overdue.slice(0, LISTED),
    broken: broken.slice(0, LISTED).map(({ name, problem }) => ({ job: name, problem })),
    ...usedJson(view),
  };
}

/** What others noted: processes, builds, the self-audit, `scheduler:sync`. */
function othersJson(view: SystemView): Pick<Shape, 'scheduler' | 'instances' | 'builds' | 'audit'> {
  const { scheduler, audit } = view;
  const note = scheduler?.note;
  return {
    scheduler: scheduler && {
      note: note === undefined ? null : noteJson(note),
      changed: scheduler.changed,
      resumed: [...scheduler.resumed],
    },
    instances: view.instances.map(({ owner, build, since, seenAt, running }) => {
      return { owner, build, since: isoInstant(since), seenAt: isoInstant(seenAt), running };
    }),
    builds: view.builds.map(({ build, firstSeenAt, lastSeenAt, inForce }) => {
      return { build, firstSeenAt: noted(firstSeenAt), lastSeenAt: noted(lastSeenAt), inForce };
    }),
    audit:
      audit === undefined
        ? null
        : {
            ...audit,
            at: isoInstant(audit.at),
            lookedBackTo: iso(audit.lookedBackTo),
            firstGaps: [...audit.firstGaps],
            cleanSince: iso(audit.cleanSince),
          },
  };
}

type Note = NonNullable<NonNullable<SystemView['scheduler']>['note']>;

const noteJson = ({ at, inSync, steps, paused }: Note) => ({
  at: isoInstant(at),
  inSync,
  steps,
  paused: [...paused],
});

/** What somebody edited by hand may be no instant. */
const noted = (at: Instant): string | null => (isInstant(at) ? isoInstant(at) : null);

const leaseJson = (lease: SystemView['leases'][number]) => ({
  job: lease.job,
  runId: lease.runId,
  attempt: lease.attempt,
  owner: lease.owner,
  startedAt: isoInstant(lease.startedAt),
  endsAt: isoInstant(lease.endsAt),
});

const waitingJson = (one: SystemView['waiting'][number]) => ({
  job: one.job,
  runId: one.runId,
  state: one.state,
  since: isoInstant(one.since),
  until: iso(one.until),
});

function usedJson({ calls, costs, total }: SystemView): Pick<Shape, 'calls' | 'costs'> {
  const costJson = ({ reads, writes, deletes }: Cost) => ({ reads, writes, deletes });
  const byOperation = [...(costs ?? [])].map(([name, cost]) => [name, costJson(cost)] as const);
  return {
    calls: calls === undefined ? null : Object.fromEntries(calls),
    costs:
      costs === undefined
        ? null
        : { total: costJson(total), byOperation: Object.fromEntries(byOperation) },
  };
}

export const systemEndpoints = [showSystem];
