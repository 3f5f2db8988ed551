import { validateInput } from './input.ts';
import type { Job } from './job.ts';
import { isJob } from './job.ts';
import { scheduleOfJob } from './schedule.ts';
import { marksOf, marksProblem } from './secrets/marks.ts';
import { paceOf, spacingProblem, type Pace } from './spacing.ts';
import { durationText, type Clock, type Timing } from './time.ts';

/** The jobs of this build, by name. */
export type Registry = ReadonlyMap<string, Job>;

/** No registry file is this long by intent. */
const MAX_JOBS = 20_000;
const MAX_REPORTED = 1000;

/** Every problem of every job, each line ready to be shown: `job "x": schedule: minute 61 …`. */
export class RegistryProblems extends Error {
  override readonly name = 'RegistryProblems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const more = problems.length - MAX_REPORTED;
    const rest = more > 0 ? [`… and ${more} more`] : [];
    super([...problems.slice(0, MAX_REPORTED), ...rest].join('\n'));
    this.problems = problems;
  }
}

/**
 * Turns a registry module's default export into the jobs by name. Throws `RegistryProblems` with
 * everything that is wrong in it, in one go. `pace` is what the store and the wake-ups allow.
 */
export function readRegistry(
  exported: unknown,
  timing: Timing,
  pace: Pace = paceOf('sqlite', null),
): Registry {
  if (!Array.isArray(exported)) {
    throw new RegistryProblems(['the registry has no array of jobs as its default export']);
  }
  if (exported.length > MAX_JOBS) {
    throw new RegistryProblems([`the registry lists ${exported.length} jobs; ${MAX_JOBS} is most`]);
  }
  const jobs = new Map<string, Job>();
  const problems: string[] = [];
  for (const [index, entry] of exported.entries()) {
    if (!isJob(entry)) {
      problems.push(`entry ${index + 1} of the registry is not a job: make it with defineJob`);
      continue;
    }
    const label = entry.name === '' ? `entry ${index + 1}` : `job "${entry.name}"`;
    for (const { field, message } of entry.problems)
      problems.push(`${label}: ${field}: ${message}`);
    if (entry.name !== '' && jobs.has(entry.name))
      problems.push(`${label}: name: two jobs have this name`);
    problems.push(...unclear(entry).map((message) => `${label}: ${message}`));
    problems.push(...tooShort(entry, timing).map((message) => `${label}: ${message}`));
    const beyond = [...tooFast(entry, pace), ...tooMany(entry, pace), ...tooLong(entry, pace)];
    problems.push(...beyond.map((message) => `${label}: ${message}`));
    jobs.set(entry.name, fitted(entry, pace));
  }
  if (problems.length > 0) throw new RegistryProblems(problems);
  return jobs;
}

/** What nobody can tell to be secret would be stored in clear. */
const unclear = (job: Job): string[] =>
  (['input', 'output'] as const).flatMap((field) => {
    const problem = marksProblem(job[field]);
    return problem === null ? [] : [`${field}: its schema ${problem}`];
  });

/** A window shorter than two ticks would miss what a wake-up had no chance to see in time. */
function tooShort(job: Job, { tickMs }: Timing): string[] {
  const { withinMs } = job.spec.catchUp;
  if (withinMs >= 2 * tickMs) return [];
  return [`catchUp.within: is ${withinMs} ms; right would be at least two ticks, ${2 * tickMs} ms`];
}

function tooFast(job: Job, pace: Pace): string[] {
  const schedule = scheduleOfJob(job);
  if (schedule === undefined) return [];
  const problem = spacingProblem(schedule, pace);
  const field = schedule.rules[0]?.kind === 'every' ? 'every' : 'schedule';
  return problem === undefined ? [] : [`${field}: ${problem}`];
}

function tooMany({ spec: { overlap } }: Job, { allow }: Pace): string[] {
  if (typeof overlap !== 'object' || overlap.allow <= allow) return [];
  return [`overlap.allow: is ${overlap.allow}; this store takes at most ${allow} at once`];
}

/** A run that would outlive the request which carries it is refused before it is ever started. */
function tooLong({ spec, timeoutGiven }: Job, { carries }: Pace): string[] {
  if (carries === null || !timeoutGiven || spec.timeoutMs <= carries.ms) return [];
  const most = durationText(Math.floor(carries.ms / 1000) * 1000);
  return [`timeout: is ${durationText(spec.timeoutMs)}; ${carries.why}, ${most} at most`];
}

/** A job that says nothing of its timeout has the longest that can be carried, up to 10 min. */
function fitted(job: Job, { carries }: Pace): Job {
  if (carries === null || job.spec.timeoutMs <= carries.ms) return job;
  return { ...job, spec: { ...job.spec, timeoutMs: carries.ms } };
}

/**
 * A scheduled run has no input: its job's schema must accept that, or `{}`. And where nothing can
 * be encrypted (`keyed` is false), no input may be secret. Throws `RegistryProblems` naming every
 * job of which that is not so.
 */
export async function checkInputs(
  registry: Registry,
  { clock, keyed }: { readonly clock: Clock; readonly keyed: boolean },
): Promise<void> {
  const problems: string[] = [];
  for (const job of registry.values()) {
    if (!keyed && marksOf(job.input) !== null) {
      problems.push(`job "${job.name}": input: ${NO_KEY}`);
    }
    if (job.schedule === null || job.input === undefined) continue;
    try {
      await validateInput(job, undefined, clock);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`job "${job.name}": input: a scheduled run has none, but ${why}`);
    }
  }
  if (problems.length > 0) throw new RegistryProblems(problems);
}

const NO_KEY =
  'its schema marks something as secret, and there is no key to encrypt it: set ' +
  'PUNCTUAL_SECRET_KEY to what `npm run -s secret-key` prints';
