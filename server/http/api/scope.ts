import { isJobName, jobOfRun } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { HttpError } from '../errors.ts';
import { noSuchJob, noSuchRun } from '../find.ts';

/*
 * A caller may be limited to some jobs. Of the others it gets what there is for a job that does not
 * exist, in the same words, so that it can't learn their names either.
 */

/** Whether a caller may see a job, and what it did. */
export const sees = ({ jobs }: Pick<Caller, 'jobs'>, job: string): boolean =>
  jobs === null || jobs.includes(job);

/** Refuses a job that the caller may not see. What is no name is for others to refuse. */
export function assertSees(caller: Caller, job: string): void {
  if (isJobName(job) && !sees(caller, job)) throw noSuchJob(job);
}

/** Refuses a run of a job that the caller may not see. */
export function assertSeesRun(caller: Caller, id: string): void {
  const job = jobOfRun(id);
  if (job !== undefined && !sees(caller, job)) throw noSuchRun(id);
}

/** Refuses who is limited to some jobs, where something is about all of them. */
export function assertSeesAll({ jobs }: Caller): void {
  if (jobs === null) return;
  throw new HttpError(
    403,
    'Forbidden',
    'this is about all jobs, and you may see some of them only',
  );
}

const NAMED = 20;

/**
 * Which job a list of history is about: the one that is asked for, or the only one that the caller
 * may see; undefined for all. History is not read across jobs for who may see some of them only.
 */
export function jobAsked(caller: Caller, asked: string | undefined): string | undefined {
  if (asked !== undefined) {
    assertSees(caller, asked);
    return asked;
  }
  if (caller.jobs === null) return undefined;
  const [only, ...others] = caller.jobs;
  if (only !== undefined && others.length === 0) return only;
  const names = caller.jobs.slice(0, NAMED).join(', ');
  const more = caller.jobs.length > NAMED ? ' and others' : '';
  throw new HttpError(
    403,
    'Forbidden',
    only === undefined
      ? 'you may see no job'
      : `say with ?job= which job you mean; you may see ${names}${more}`,
  );
}
