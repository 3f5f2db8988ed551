import { readFileSync } from 'node:fs';
import { readConfig, type Config } from '../server/config.ts';
import type { Job } from '../server/core/job.ts';
import { explain } from '../server/core/explain.ts';
import { scheduleOfJob } from '../server/core/schedule.ts';
import { loadRegistry } from '../server/registry.ts';
import { runLocally } from './run-locally.ts';
import { warnings } from '../views/clock-changes.ts';
import { scheduleWords } from '../views/schedule-words.ts';
import { systemClock } from '../server/process/clock.ts';
import { adopt, resetClock, showRun, showRuns, changeRun, statesIn } from './stored.ts';
import { request, serverUrl } from './client.ts';
import { occurrenceLines } from './occurrences.ts';
import { table } from './table.ts';
import { BadUsage, one, whole } from './usage.ts';

/** One command: what follows its name, and the options. Gives the exit status. */
export type Command = (words: string[], options: Options) => Promise<number>;

export interface Options {
  readonly count?: string | undefined;
  readonly input?: string | undefined;
  readonly limit?: string | undefined;
  readonly note?: string | undefined;
  readonly state?: string | undefined;
  readonly until?: string | undefined;
  readonly wait?: string | undefined;
}

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['list', list],
  ['next', next],
  ['run', run],
  ['trigger', trigger],
  ['runs', showRuns],
  ['show', showRun],
  ['pause', pause],
  ['resume', resume],
  ['cancel', (words) => changeRun('cancel', one(words, 'a run id'))],
  ['free', (words) => changeRun('free', one(words, 'a run id'))],
  ['adopt', adopt],
  ['reset-clock', resetClock],
]);

async function loaded(): Promise<{ config: Config; jobs: Job[] }> {
  const config = readConfig(process.env, process.cwd(), Date.now());
  return { config, jobs: [...(await loadRegistry(config, systemClock)).values()] };
}

export async function findJob(name: string): Promise<{ config: Config; job: Job }> {
  const { config, jobs } = await loaded();
  const job = jobs.find((one) => one.name === name);
  if (job !== undefined) return { config, job };
  const known = jobs.map((one) => one.name).join(', ');
  throw new BadUsage(`there is no job "${name}" in ${config.jobs}; there are ${known}`);
}

async function list(): Promise<number> {
  const { config, jobs } = await loaded();
  const states = await statesIn(config);
  const rows = jobs.map((job) => [
    job.name,
    states.get(job.name) ?? 'not yet registered',
    job.schedule ?? '-',
    job.timeZone,
    scheduleWords(job.schedule, job.timeZone, job.name),
    job.tags.join(' '),
  ]);
  console.log(table(['JOB', 'STATE', 'SCHEDULE', 'ZONE', 'IN WORDS', 'TAGS'], rows));
  return 0;
}

async function next([name, ...more]: string[], { count }: Options): Promise<number> {
  if (more.length > 0) throw new BadUsage(`expected one job at most, got ${more.join(' ')} too`);
  const howMany = whole(count, 'count', 5, 1000);
  const jobs = name === undefined ? (await loaded()).jobs : [(await findJob(name)).job];
  for (const job of jobs) {
    console.log(`${job.name}  ${job.schedule ?? 'only by hand'}  ${job.timeZone}`);
    for (const line of nextLines(job, howMany)) console.log(line);
  }
  return 0;
}

function nextLines(job: Job, count: number): string[] {
  const schedule = scheduleOfJob(job);
  if (schedule === undefined) return [];
  const { occurrences, clockChanges } = explain(schedule, Date.now(), count);
  const lines = occurrenceLines(schedule, occurrences);
  return [
    ...(lines.length > 0 ? lines : ['  none to come']),
    ...warnings(clockChanges).map((warning) => `  ${warning}`),
  ];
}

/** The input of `--input file.json`; undefined where there is none. */
function inputOf({ input }: Options): unknown {
  if (input === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(input, 'utf8'));
  } catch (error) {
    throw new BadUsage(
      `--input ${input}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function run(words: string[], options: Options): Promise<number> {
  const { job } = await findJob(one(words, 'the name of a job'));
  return await runLocally(job, inputOf(options));
}

async function trigger(words: string[], options: Options): Promise<number> {
  const name = one(words, 'the name of a job');
  const input = inputOf(options);
  const wait = options.wait === undefined ? undefined : whole(options.wait, 'wait', 60, 120);
  const answer = await request('POST', `/api/v1/jobs/${encodeURIComponent(name)}/runs`, {
    body: input === undefined ? {} : { input },
    headers: wait === undefined ? {} : { Prefer: `wait=${wait}` },
  });
  const state = String(answer['state']);
  console.log(`${String(answer['id'])} ${state}`);
  console.log(`${serverUrl()}/runs/${encodeURIComponent(String(answer['id']))}`);
  const bad = ['failed', 'timed_out', 'cancelled', 'lost'].includes(state);
  return bad ? 1 : 0;
}

async function pause(words: string[], { note, until }: Options): Promise<number> {
  const name = one(words, 'the name of a job');
  const body = { ...(note !== undefined && { note }), ...(until !== undefined && { until }) };
  await request('PUT', `/api/v1/jobs/${encodeURIComponent(name)}/pause`, { body, headers: {} });
  console.log(`${name} is paused${until === undefined ? '' : ` until ${until}`}`);
  return 0;
}

async function resume(words: string[]): Promise<number> {
  const name = one(words, 'the name of a job');
  const path = `/api/v1/jobs/${encodeURIComponent(name)}/pause`;
  await request('DELETE', path, { body: undefined, headers: {} });
  console.log(`${name} goes on`);
  return 0;
}
