import { readConfig, type Config } from '../../server/config.ts';
import type { Job } from '../../server/core/job.ts';
import { explain } from '../../server/core/explain.ts';
import { scheduleOfJob } from '../../server/core/schedule.ts';
import { systemClock } from '../../server/process/clock.ts';
import { loadRegistry } from '../../server/registry.ts';
import { warnings } from '../../views/clock-changes.ts';
import { occurrenceLines } from '../occurrences.ts';
import { runLocally } from '../run-locally.ts';
import { BadUsage, one, whole } from '../usage.ts';
import { STATUS, type Command } from './command.ts';
import { inputText, maybeOne } from './reading.ts';

/** Commands that need the code alone: no server, no store. */

async function loaded(): Promise<{ config: Config; jobs: Job[] }> {
  const config = readConfig(process.env, process.cwd(), Date.now());
  return { config, jobs: [...(await loadRegistry(config, systemClock)).values()] };
}

async function findJob(name: string): Promise<Job> {
  const { config, jobs } = await loaded();
  const job = jobs.find((one) => one.name === name);
  if (job !== undefined) return job;
  const known = jobs.map((one) => one.name).join(', ');
  throw new BadUsage(`there is no job "${name}" in ${config.jobs}; there are ${known}`);
}

export const next: Command = async (words, { count }) => {
  const name = maybeOne(words, 'job');
  const howMany = whole(count, 'count', 5, 1000);
  const jobs = name === undefined ? (await loaded()).jobs : [await findJob(name)];
  for (const job of jobs) {
    console.log(`${job.name}  ${job.schedule ?? 'only by hand'}  ${job.timeZone}`);
    for (const line of nextLines(job, howMany)) console.log(line);
  }
  return STATUS.done;
};

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

export const run: Command = async (words, options) => {
  const job = await findJob(one(words, 'the name of a job'));
  const input = inputText(options.input);
  return await runLocally(job, input === undefined ? undefined : JSON.parse(input));
};
