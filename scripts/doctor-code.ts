import { forWhom } from '../server/config-access.ts';
import type { Config } from '../server/config.ts';
import { RegistryProblems, type Registry } from '../server/core/registry.ts';
import { marksOf } from '../server/core/secrets/marks.ts';
import { paceOf, type Pace } from '../server/core/spacing.ts';
import { systemClock } from '../server/process/clock.ts';
import { loadRegistry } from '../server/registry.ts';
import type { Wanted } from '../server/triggers/scheduler-wanted.ts';
import { count, duration } from '../views/time.ts';
import { bad, ok, skip, warn, type Finding } from './doctor-finding.ts';

/** What can be said of a deployment without asking anybody: its code, its settings, its jobs. */

export interface Machine {
  readonly node: string;
  /** The version of the time-zone data, such as `2026b`. */
  readonly zones: string | undefined;
  readonly year: number;
}

/** The Node that runs this, and what it knows of time zones. */
export function machineFindings({ node, zones, year }: Machine): Finding[] {
  const right = Number(node.split('.')[0]) >= 24;
  const from = Number(/^\d{4}/.exec(zones ?? '')?.[0] ?? 0);
  const update = 'update Node to its newest 24: rules of time zones change several times a year';
  return [
    right
      ? ok('node', node)
      : bad('node', `${node}, which can't run this code`, 'npm ci brings the Node 24 that can'),
    from >= year - 1
      ? ok('time zones', `data of ${zones}`)
      : warn('time zones', `data of ${zones ?? 'no known version'}`, update),
  ];
}

const DEADLINES = {
  'app-engine': {
    most: 600_000,
    what: 'App Engine ends a request after 10 min under automatic scaling',
  },
  'cloud-run': { most: 3_600_000, what: 'Cloud Run ends a request after 60 min at most' },
} as const;

/** Whether what is set fits the place where it is to run. */
export function placeFindings(config: Config): Finding[] {
  const { platform, requestDeadlineMs } = config.google;
  const { store, wake, build, namespace } = config;
  const waking = wake === 'timer' ? 'woken by its own timer' : 'woken by triggers only';
  const found = [ok('settings', `store ${store}, ${waking}, namespace ${namespace}`)];
  if (platform !== null && store === 'sqlite') {
    const says = 'the store is a file of the instance, and gone with it';
    found.push(bad('settings', says, 'take out PUNCTUAL_STORE: it is firestore there by itself'));
  }
  if (platform !== null && wake === 'timer') {
    const says = 'the service would wake itself, but has no CPU outside a request there';
    found.push(bad('settings', says, 'take out PUNCTUAL_WAKE: it is tick there by itself'));
  }
  if (platform === 'cloud-run' && config.firestore.project === null) {
    const says = 'GOOGLE_CLOUD_PROJECT is not set, so nobody is asked to carry what waits';
    found.push(bad('settings', says, 'set it: Cloud Run does not do so by itself'));
  }
  if (platform !== null && requestDeadlineMs > DEADLINES[platform].most) {
    const { most, what } = DEADLINES[platform];
    const says = `a request is said to take ${duration(requestDeadlineMs)}, but ${what}`;
    found.push(warn('settings', says, `set PUNCTUAL_REQUEST_DEADLINE_MS to ${most} at most`));
  }
  return [...found, ok('build', buildText(build, platform))];
}

function buildText(build: string, platform: Config['google']['platform']): string {
  if (!build.startsWith('start-')) return `${build}: it must be another with each deploy`;
  if (platform !== null) return "the platform's id of each deploy";
  return 'the time of each start, so that the newest start defines the jobs';
}

/** Who may do what, by the settings alone. Closed: who is not named is refused. */
export function accessFindings({ google, access, wake }: Config): Finding[] {
  const { platform, schedulerAccount, tasksAccount, tasksQueue, serviceUrl } = google;
  const may = [
    ...(access.modes.includes('loopback') ? ['this machine itself'] : []),
    ...(platform === 'app-engine' ? ["App Engine's own cron"] : []),
    ...(schedulerAccount !== null ? [`${schedulerAccount} by its token`] : []),
    ...(tasksAccount !== null ? [`${tasksAccount}, for single runs`] : []),
    ...(platform === 'app-engine' && tasksQueue !== null ? [`its queue ${tasksQueue}`] : []),
  ];
  const found = [
    may.length > 0
      ? ok('triggers', `answered: ${may.join('; ')}. Nobody else`)
      : platform === null && wake === 'timer'
        ? ok('triggers', 'nobody is answered, nor need be: the service wakes itself')
        : bad('triggers', 'nobody is answered', 'set PUNCTUAL_SCHEDULER_ACCOUNT'),
  ];
  if (platform !== null && serviceUrl?.startsWith('http:')) {
    const says = `tokens are sent to ${serviceUrl}, without encryption`;
    found.push(bad('triggers', says, 'set PUNCTUAL_SERVICE_URL to the https address'));
  }
  return [
    ...found,
    dashboardFinding(access),
    ok('/healthz', 'anybody is answered, with ok or failing alone'),
  ];
}

function dashboardFinding(access: Config['access']): Finding {
  if (access.modes.length > 0) return ok('dashboard', `it is there ${forWhom(access)}`);
  const nobody = 'nobody is answered, nor is a program at /api/v1, until PUNCTUAL_AUTH says who';
  return ok('dashboard', nobody);
}

export interface Jobs {
  readonly findings: readonly Finding[];
  /** Undefined where the jobs have faults of their own. */
  readonly registry: Registry | undefined;
}

/** The registry by its own rules, then by those of the store and of the platform. */
export async function jobFindings(config: Config): Promise<Jobs> {
  const lenient = paceOf('sqlite', null);
  const whole = await problemsOf(config);
  // What all rules together allow, each allows by itself.
  const by = (pace: Pace) =>
    whole.problems.length === 0 ? whole : problemsOf({ ...config, pace });
  const own = await by(lenient);
  if (own.problems.length > 0) {
    const todo = 'put it right in the code; the service does not start like this';
    const findings = own.problems.map((problem) => bad('jobs', problem, todo));
    const why = 'the jobs have to be right first';
    return {
      findings: [...findings, skip('spacing', why), skip('timeouts', why)],
      registry: undefined,
    };
  }
  const { carries } = config.pace;
  const near = await by({ ...config.pace, carries: null });
  const long = await by({ ...lenient, carries });
  const registry = whole.registry ?? own.registry;
  const { closestMs, where } = config.pace;
  return {
    registry,
    findings: [
      ok('jobs', `${count(own.registry?.size ?? 0, 'job')} in ${config.jobs}`),
      ...(near.problems.length === 0
        ? [ok('spacing', `no job comes closer than ${duration(closestMs)}, the least ${where}`)]
        : near.problems.map((problem) => bad('spacing', problem, SPACING))),
      ...(long.problems.length === 0
        ? [ok('timeouts', timeoutText(config, registry))]
        : long.problems.map((problem) => bad('timeouts', problem, TIMEOUTS))),
      ...secretFindings(config, registry),
    ],
  };
}

/** Whether there is a key for the jobs that need one. */
function secretFindings({ cipher }: Config, registry: Registry | undefined): Finding[] {
  const taking = [...(registry?.values() ?? [])].filter((job) => marksOf(job.input) !== null);
  const [first] = taking;
  if (first === undefined) return [];
  const says = `${count(taking.length, 'job')} with secret inputs, such as "${first.name}"`;
  if (cipher !== null) return [ok('secrets', `${says}; there is a key to encrypt them`)];
  const todo = 'set PUNCTUAL_SECRET_KEY to what `npm run -s secret-key` prints';
  return [bad('secrets', `${says}, and no key: the service does not start like this`, todo)];
}

const SPACING = 'let it come less often; the service does not start like this';
const TIMEOUTS =
  'give it a shorter timeout or smaller work, or raise the limit; the service does not start';

async function problemsOf(
  config: Config,
): Promise<{ readonly registry: Registry | undefined; readonly problems: readonly string[] }> {
  try {
    return { registry: await loadRegistry(config, systemClock), problems: [] };
  } catch (error) {
    if (!(error instanceof RegistryProblems)) throw error;
    return { registry: undefined, problems: error.problems };
  }
}

function timeoutText({ pace, google, wake }: Config, registry: Registry | undefined): string {
  const longest = [...(registry?.values() ?? [])].toSorted(
    (a, b) => b.spec.timeoutMs - a.spec.timeoutMs,
  )[0];
  const ofJob =
    longest === undefined ? '' : `; the longest is ${duration(longest.spec.timeoutMs)}, `;
  const most =
    pace.carries === null || wake === 'timer'
      ? 'no request limits them here'
      : `a request of ${duration(google.requestDeadlineMs)} carries ${duration(pace.carries.ms)}`;
  return `${most}${ofJob}${longest?.name ?? ''}`;
}

/** Jobs whose runs no request would be long enough for. */
export function carriedFindings(
  config: Config,
  registry: Registry,
  { wakings }: Wanted,
): Finding[] {
  const { tickCarriesMs } = config.timing;
  if (config.google.tasksQueue !== null) return [];
  return wakings.flatMap(({ job, by, why }) => {
    const timeoutMs = registry.get(job)?.spec.timeoutMs ?? 0;
    if (by !== 'tick' || timeoutMs <= tickCarriesMs) return [];
    const carried = `the tick carries ${duration(tickCarriesMs)}, and it has no other trigger`;
    const says = `job "${job}" may take ${duration(timeoutMs)}; ${carried}: ${why}`;
    return [warn('timeouts', says, 'set PUNCTUAL_TASKS_QUEUE, or give it a shorter timeout')];
  });
}
