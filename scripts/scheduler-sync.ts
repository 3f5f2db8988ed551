/**
 * Keeps Cloud Scheduler in step with the jobs in the code: shows what would change, or changes it.
 *
 *   npm run scheduler:sync                     the plan; nothing is changed
 *   npm run scheduler:sync -- --apply          carries it out; interrupted, the same goes on
 *   npm run scheduler:sync -- --check          the plan; exits 1 if there is anything to do, for CI
 *
 *   --per-job long    triggers of their own for the jobs that a tick can't carry: the default;
 *                     all for every job with a schedule, none for the tick alone
 *   --offline         leaves the store alone, and with it which triggers are paused; else what
 *                     --apply and --check come to is kept there, for the dashboard's system page
 *   --json            the plan for programs
 *
 * Always there is the tick, which wakes all jobs each minute. Only Cloud Scheduler jobs are touched
 * whose id begins with punctual-NAMESPACE- and whose description ends in [punctual:NAMESPACE].
 *
 * Needs GOOGLE_CLOUD_PROJECT, PUNCTUAL_LOCATION, PUNCTUAL_SERVICE_URL, PUNCTUAL_SCHEDULER_ACCOUNT
 * and the role Cloud Scheduler Admin. Exit status: 0 done, 1 something is left to do, 2 the command
 * can't be carried out.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../server/config.ts';
import type { Pause } from '../server/core/records.ts';
import { jobsOnRecord } from '../server/core/register.ts';
import type { Registry } from '../server/core/registry.ts';
import { keepSchedulerNote, triggersHash } from '../server/core/scheduler-note.ts';
import { systemClock } from '../server/process/clock.ts';
import { loadRegistry } from '../server/registry.ts';
import { openStore } from '../server/stores/open.ts';
import { applyPlan, steadily, type Applied } from '../server/triggers/scheduler-apply.ts';
import type { Scheduler } from '../server/triggers/scheduler-job.ts';
import {
  planJson,
  planOf,
  type Aims,
  type Plan,
  type Step,
} from '../server/triggers/scheduler-plan.ts';
import {
  PER_JOB,
  wantedJobs,
  type PerJob,
  type Wanted,
} from '../server/triggers/scheduler-wanted.ts';
import { visible } from '../views/html.ts';
import { count } from '../views/time.ts';
import { fail } from './open.ts';
import { cautionLines, planLines, progressLine } from './scheduler-text.ts';
import { BadUsage, oneOf, usageOf } from './usage.ts';

try {
  await main();
} catch (error) {
  fail(error);
}

interface Options {
  readonly apply: boolean;
  readonly check: boolean;
  readonly json: boolean;
  readonly offline: boolean;
  readonly perJob: PerJob;
}

async function main(): Promise<void> {
  const options = readArguments();
  if (options === undefined) return console.log(usageOf('scheduler-sync.ts'));
  const now = Date.now();
  const config = readConfig(process.env, process.cwd(), now);
  const place = placeIn(config);
  const registry = await loadRegistry(config, systemClock);
  const wanted = wantedJobs(registry, {
    namespace: config.namespace,
    serviceUrl: place.serviceUrl,
    account: place.account,
    perJob: options.perJob,
    tickCarriesMs: config.timing.tickCarriesMs,
    tasks: config.google.tasksQueue !== null,
    pauses: options.offline ? null : await pausesIn(config),
    now,
  });
  // Google's client takes a third of a second to import.
  const { CloudScheduler } = await import('../server/triggers/cloud-scheduler.ts');
  const scheduler = new CloudScheduler(place);
  try {
    process.exitCode = await sync(scheduler, { config, registry, wanted, options, now });
  } finally {
    await scheduler.close();
  }
}

function readArguments(): Options | undefined {
  const { values } = parseArgs({
    options: {
      apply: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      offline: { type: 'boolean', default: false },
      'per-job': { type: 'string', default: 'long' },
    },
  });
  if (values.help) return undefined;
  const { apply, check, json, offline } = values;
  const perJob = oneOf(values['per-job'], 'per-job', PER_JOB);
  if (apply && check) throw new BadUsage('--check changes nothing, so --apply cannot go with it');
  return { apply, check, json, offline, perJob };
}

/** Where Cloud Scheduler is, and what it calls; throws with all that is missing. */
function placeIn({ firestore, google }: Config) {
  const { project } = firestore;
  const { location, serviceUrl, schedulerAccount: account, schedulerEndpoint: endpoint } = google;
  if (serviceUrl?.startsWith('http:') && endpoint === null) {
    throw new BadUsage(
      `PUNCTUAL_SERVICE_URL is "${serviceUrl}"; Cloud Scheduler needs https there`,
    );
  }
  if (project !== null && location !== null && serviceUrl !== null && account !== null) {
    return { project, location, serviceUrl, account, endpoint };
  }
  const needed = [
    [project, 'GOOGLE_CLOUD_PROJECT', 'the id of the project, such as my-project'],
    [location, 'PUNCTUAL_LOCATION', 'the region, such as europe-west1'],
    [serviceUrl, 'PUNCTUAL_SERVICE_URL', 'where the service is, such as https://my.example.com'],
    [account, 'PUNCTUAL_SCHEDULER_ACCOUNT', 'the service account whose tokens triggers bear'],
  ] as const;
  const lines = needed
    .filter(([value]) => value === null)
    .map(([, name, what]) => `  ${name.padEnd(28)}${what}`);
  throw new BadUsage(`not set, and needed for Cloud Scheduler:\n${lines.join('\n')}`);
}

/** The pauses of this namespace's jobs, by name. */
async function pausesIn(config: Config): Promise<ReadonlyMap<string, Pause>> {
  const instead = 'PUNCTUAL_STORE=firestore asks Firestore; --offline leaves pauses as they are';
  if (config.store === 'sqlite' && !existsSync(config.db)) {
    throw new BadUsage(
      `there is no database ${config.db} to ask which jobs are paused\n${instead}`,
    );
  }
  const pauses = new Map<string, Pause>();
  try {
    const store = await openStore(config, systemClock, () => undefined);
    try {
      for (const [name, record] of await jobsOnRecord(store)) {
        if (record?.namespace !== config.namespace || record.paused === null) continue;
        pauses.set(name, record.paused);
      }
      return pauses;
    } finally {
      await store.close();
    }
  } catch (cause) {
    throw new Error(`the store does not say which jobs are paused (${instead})`, { cause });
  }
}

interface Task {
  readonly config: Config;
  readonly registry: Registry;
  readonly wanted: Wanted;
  readonly options: Options;
  readonly now: number;
}

/** Gives the exit status. */
async function sync(scheduler: Scheduler, task: Task): Promise<number> {
  const { config, registry, wanted, options, now } = task;
  const { namespace } = config;
  const registered = (job: string): boolean => registry.has(job);
  const aims: Aims = { wanted: wanted.jobs, namespace, registered, now };
  const onRetry = (why: string, afterMs: number): void =>
    console.error(`${why}: again in ${afterMs / 1000} s`);
  const plan = planOf(
    await steadily(() => scheduler.list(), { clock: systemClock, onRetry }),
    aims,
  );
  show(scheduler, plan, task);
  if (options.check) await keepResult(task, plan.steps);
  if (!options.apply) return options.check && plan.steps.length > 0 ? 1 : 0;

  let done = 0;
  try {
    const applied = await applyPlan(scheduler, plan, aims, {
      clock: systemClock,
      onRetry,
      onStep(progress) {
        if (progress.outcome === 'done') done += 1;
        console.error(progressLine(progress));
      },
    });
    await keepResult(task, applied.left.steps);
    return outcome(applied);
  } catch (error) {
    const again = 'the same command goes on from there';
    console.error(`${count(done, 'step')} of ${plan.steps.length} done; ${again}`);
    throw error;
  }
}

/**
 * Keeps what is left to do in the store, where the system page tells it. What was done is done all
 * the same where that fails, and the page then tells an older result, with its time.
 */
async function keepResult({ config, registry, wanted, options }: Task, left: readonly Step[]) {
  if (options.offline) return;
  const steps: Record<string, number> = {};
  for (const { kind } of left) steps[kind] = (steps[kind] ?? 0) + 1;
  const paused = wanted.jobs.flatMap(({ job, state }) => (state === 'paused' && job ? [job] : []));
  const note = { inSync: left.length === 0, steps, registry: triggersHash(registry), paused };
  try {
    const store = await openStore(config, systemClock, () => undefined);
    try {
      await keepSchedulerNote(store, config.namespace, note);
    } finally {
      await store.close();
    }
  } catch {
    // Whoever looks for the reason finds it when pauses are asked for next.
  }
}

function show(scheduler: Scheduler, plan: Plan, { config, registry, wanted, options, now }: Task) {
  const { namespace, google } = config;
  if (options.json) {
    const { wakings, cautions } = wanted;
    const warnings = cautions.map((caution) => ({
      job: caution.job,
      text: cautionLines(caution).join('; '),
    }));
    const answer = { namespace, ...planJson(plan), wakings, warnings };
    console.log(JSON.stringify(answer, null, 2));
    return;
  }
  const about = {
    place: scheduler.place,
    namespace,
    serviceUrl: google.serviceUrl ?? '',
    offline: options.offline,
    jobs: registry.size,
    triggers: wanted.jobs.length - 1,
    applies: options.apply,
    now,
  };
  for (const line of planLines(plan, wanted, about)) console.log(visible(line));
}

function outcome({ done, failed, left }: Applied): number {
  for (const { why } of failed) console.error(visible(`not taken: ${why}`));
  const blocked = left.steps.filter(({ kind }) => kind === 'blocked');
  for (const { id } of blocked) console.error(visible(`left as it is: ${id} is not ours`));
  if (left.steps.length === 0) {
    console.error(`${count(done, 'step')} done: Cloud Scheduler is in step`);
    return 0;
  }
  console.error(`${count(done, 'step')} done, ${left.steps.length} left`);
  return 1;
}
