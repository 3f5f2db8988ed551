import type { Config } from '../server/config.ts';
import { describeError } from '../server/core/outcome.ts';
import type { Pause } from '../server/core/records.ts';
import type { Registry } from '../server/core/registry.ts';
import type { SchedulerJob } from '../server/triggers/scheduler-job.ts';
import { isOurs, planOf, type Plan } from '../server/triggers/scheduler-plan.ts';
import {
  tickId,
  wantedJobs,
  type PerJob,
  type Wanted,
} from '../server/triggers/scheduler-wanted.ts';
import { count } from '../views/time.ts';
import { carriedFindings } from './doctor-code.ts';
import { bad, ok, skip, warn, type Finding } from './doctor-finding.ts';

/** Who wakes the service: whether Cloud Scheduler has what it should, and the tick above all. */

export interface WakeTask {
  readonly config: Config;
  readonly registry: Registry | undefined;
  readonly pauses: ReadonlyMap<string, Pause> | null;
  readonly perJob: PerJob;
  readonly offline: boolean;
  readonly now: number;
}

export async function wakeFindings(task: WakeTask): Promise<Finding[]> {
  const { config, registry, offline } = task;
  if (config.wake === 'timer') {
    const why = 'not needed: the service wakes itself';
    return [ok('tick', 'the timer of the service itself'), skip('scheduler', why)];
  }
  const { project } = config.firestore;
  const { location, serviceUrl, schedulerAccount: account } = config.google;
  if (project === null || location === null || serviceUrl === null || account === null) {
    return [unset(config), skip('scheduler', 'where it is, is not set')];
  }
  if (registry === undefined) return both('the jobs have to be right first');

  const wanted = wantedJobs(registry, { ...wishesOf(task), serviceUrl, account });
  const carried = carriedFindings(config, registry, wanted);
  if (offline) return [...both(`not asked: --offline. ${wantedText(wanted)}`), ...carried];
  // Google's client takes a third of a second to import.
  const { CloudScheduler } = await import('../server/triggers/cloud-scheduler.ts');
  const endpoint = config.google.schedulerEndpoint;
  const scheduler = new CloudScheduler({ project, location, account, endpoint });
  try {
    const there = await scheduler.list();
    return [tickFinding(task, there), stepFinding(task, wanted, there), ...carried];
  } catch (error) {
    const says = describeError(error).message;
    const todo = 'with that put right, look again; --offline leaves it out';
    return [skip('tick', 'it was not heard of'), bad('scheduler', says, todo), ...carried];
  } finally {
    await scheduler.close();
  }
}

const both = (why: string): Finding[] => [skip('tick', why), skip('scheduler', why)];

const wishesOf = ({ config, perJob, pauses, now }: WakeTask) => ({
  namespace: config.namespace,
  perJob,
  tickCarriesMs: config.timing.tickCarriesMs,
  tasks: config.google.tasksQueue !== null,
  pauses,
  now,
});

const wantedText = ({ jobs }: Wanted): string =>
  `wanted are the tick and ${count(jobs.length - 1, 'trigger')} of jobs' own`;

function unset({ firestore, google }: Config): Finding {
  const missing = [
    [firestore.project, 'GOOGLE_CLOUD_PROJECT'],
    [google.location, 'PUNCTUAL_LOCATION'],
    [google.serviceUrl, 'PUNCTUAL_SERVICE_URL'],
    [google.schedulerAccount, 'PUNCTUAL_SCHEDULER_ACCOUNT'],
  ].flatMap(([value, name]) => (value === null ? [name] : []));
  const says = 'only triggers wake the service, and Cloud Scheduler can not be set up to send any';
  const todo = `set ${missing.join(', ')}; or see to it that something posts to /triggers/tick`;
  return google.platform === null ? warn('tick', says, todo) : bad('tick', says, todo);
}

const APPLY = 'npm run scheduler:sync shows what, and with -- --apply puts it right';

function tickFinding({ config }: WakeTask, there: readonly SchedulerJob[]): Finding {
  const id = tickId(config.namespace);
  const tick = there.find((job) => job.id === id);
  if (tick === undefined) return bad('tick', `there is no Cloud Scheduler job ${id}`, APPLY);
  if (!isOurs(tick, config.namespace)) {
    const todo = 'delete or rename it; then npm run scheduler:sync -- --apply';
    return bad('tick', `the Cloud Scheduler job ${id} is somebody else's`, todo);
  }
  if (tick.state !== 'enabled') return bad('tick', `${id} is ${tick.state}`, APPLY);
  return ok('tick', `${id} comes each minute`);
}

function stepFinding(task: WakeTask, wanted: Wanted, there: readonly SchedulerJob[]): Finding {
  const { config, registry, now } = task;
  const registered = (job: string): boolean => registry?.has(job) ?? false;
  const plan = planOf(there, {
    wanted: wanted.jobs,
    namespace: config.namespace,
    registered,
    now,
  });
  if (plan.steps.length === 0) return ok('scheduler', `in step: ${wantedText(wanted)}`);
  return bad('scheduler', stepText(plan), APPLY);
}

const STEPS_SHOWN = 5;

function stepText({ steps }: Plan): string {
  const shown = steps.slice(0, STEPS_SHOWN).map(({ kind, id }) => `${kind} ${id}`);
  const more = steps.length > STEPS_SHOWN ? [`and ${steps.length - STEPS_SHOWN} more`] : [];
  return `${count(steps.length, 'step')} behind: ${[...shown, ...more].join(', ')}`;
}
