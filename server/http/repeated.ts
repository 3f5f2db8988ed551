import type { Deps } from '../core/deps.ts';
import type { Job } from '../core/job.ts';
import type { Run } from '../core/records.ts';
import { SecretUnreadable } from '../core/secrets/cipher.ts';
import { openInput } from '../core/secrets/stored.ts';
import { HttpError } from './errors.ts';

/**
 * The input of a run to be given to another one, its secrets with it: for `runNow`, and never for
 * an answer. 409 where it can't be had.
 */
export function inputToRepeat({ cipher }: Pick<Deps, 'cipher'>, job: Job, run: Run): unknown {
  try {
    return openInput(cipher, job, run).value;
  } catch (cause) {
    const why =
      cause instanceof SecretUnreadable ? cause.message : `the input of run "${run.id}" is no JSON`;
    throw new HttpError(409, 'Input unusable', why, { cause });
  }
}
