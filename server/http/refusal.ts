import type { Refusal } from '../core/event.ts';
import type { Changed } from '../core/run-now.ts';
import { HttpError, storeTrouble } from './errors.ts';

/** Nothing can be said of what was asked for just now: the caller may come again. */
export const unavailable = (detail: string, cause: unknown): HttpError =>
  new HttpError(503, 'Unavailable', detail, { headers: { 'Retry-After': '5' }, cause });

/** Throws what a change came to, where it was none. */
export function assertDone(changed: Changed): void {
  if (changed.kind === 'refused') throw refusal(changed);
  if (changed.kind === 'unknown' || changed.kind === 'unavailable') {
    throw unavailable(`${storeTrouble(changed.cause)}; try again`, changed.cause);
  }
}

/** Why a job can't do now what was asked, in words. */
export function refusal({ why, runId }: Refusal): HttpError {
  const run = runId === null ? 'another run' : `run "${runId}"`;
  switch (why) {
    case 'busy':
      return new HttpError(409, 'Busy', `${run} is unfinished, and the job skips what overlaps`);
    case 'queue-full':
      return new HttpError(429, 'Queue full', '32 runs are waiting already', {
        headers: { 'Retry-After': '60' },
      });
    case 'not-unfinished':
    case 'not-held':
      return new HttpError(409, 'Not running', 'the run is over already');
    case 'too-many-pauses':
      return new HttpError(
        409,
        'Too many pauses',
        'the job was paused too often while it was busy',
      );
    case 'backfill-running':
      return new HttpError(409, 'Busy', 'a backfill of this job is under way');
    case 'other-backfill':
      return new HttpError(422, 'Key used before', 'this key stands for another backfill');
    case 'nothing-to-backfill':
      return new HttpError(409, 'Nothing to do', 'no past occurrence lies in this range');
    case 'unsteady':
      return unavailable('the clock can not be trusted just now: nothing new is started', why);
    case 'exists':
      return new HttpError(409, 'Exists', 'a run of this id is on record already');
    case 'retired':
    case 'no-such-job':
    case 'other-namespace':
      return new HttpError(404, 'No such job', 'the job is not in the code of this service');
  }
}
