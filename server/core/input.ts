import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Job } from './job.ts';

/** Input is for parameters; data belongs where the job can fetch it. In bytes of JSON. */
export const INPUT_LIMIT = 48 * 1024;

/** One thing that is wrong with an input, and where: a JSON pointer below `/input`. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with an input, at once. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    const all = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    super(`its input does not fit its schema: ${all}`);
    this.problems = problems;
  }
}

/** The stored input (JSON text, or null for none) as the handler gets it; throws `BadInput`. */
export async function readInput(job: Job, stored: string | null): Promise<unknown> {
  const given: unknown = stored === null ? undefined : JSON.parse(stored);
  return await validateInput(job, given);
}

/**
 * Validates an input by the job's schema and gives the schema's result. No input, as scheduled runs
 * have none, is tried as `undefined` and as `{}`, so that a schema's defaults come to life. Without
 * a schema anything goes. Throws `BadInput`.
 */
export async function validateInput(job: Job, given: unknown): Promise<unknown> {
  if (job.input === undefined) return given;
  const result = await job.input['~standard'].validate(given);
  if (result.issues === undefined) return result.value;
  if (given === undefined) {
    const empty = await job.input['~standard'].validate({});
    if (empty.issues === undefined) return empty.value;
  }
  throw new BadInput(result.issues.slice(0, 50).map(problemOf));
}

function problemOf({ path, message }: StandardSchemaV1.Issue): InputProblem {
  const keys = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { path: `/input${pointer}`, message };
}
