import type { Deps } from '../core/deps.ts';
import { isJobName, jobOfRun } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import type { Run } from '../core/records.ts';
import type { Loaded } from '../core/store.ts';
import { summarise, type JobSummary } from '../core/summary.ts';
import { HttpError } from './errors.ts';
import { badRequest } from './read.ts';

/** Jobs and runs by what an address calls them, or the answer that there is none. */

/** A job of this build: only such a one can be run. */
export function findJob(deps: Deps, name: string): Job {
  checkName(name);
  const job = deps.registry.get(name);
  if (job === undefined) throw noSuchJob(name);
  return job;
}

/** A run on record. */
export async function findRun(deps: Deps, id: string): Promise<Run> {
  if (jobOfRun(id) === undefined) throw badRequest([{ path: 'id', message: 'not a run id' }]);
  const run = await deps.store.getRun(id);
  if (run === undefined) throw noSuchRun(id);
  return run;
}

/** A job of the store as it stands there; 404 where there is none. */
export async function readJob(deps: Deps, name: string): Promise<Loaded> {
  checkName(name);
  const loaded = await deps.store.read(name);
  if (loaded.version === undefined) throw noSuchJob(name);
  return loaded;
}

/** The same as a summary. */
export async function summaryOf(deps: Deps, name: string): Promise<JobSummary> {
  const loaded = await readJob(deps, name);
  return summarise(loaded, deps.registry.get(name), loaded.storeNow);
}

function checkName(name: string): void {
  if (isJobName(name)) return;
  throw badRequest([
    { path: 'name', message: 'not a job name: lower-case letters, digits, hyphens' },
  ]);
}

export const noSuchJob = (name: string): HttpError =>
  new HttpError(404, 'No such job', `there is no job "${name}"`);

export const noSuchRun = (id: string): HttpError =>
  new HttpError(404, 'No such run', `there is no run "${id}"`);
