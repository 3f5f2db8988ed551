import type { Job } from './job.ts';
import { marksOf } from './secrets/marks.ts';
import type { Clock } from './time.ts';
import { validate, type InputProblem, type Validating } from './validate.ts';

export type { InputProblem } from './validate.ts';

/** Input is for parameters; data belongs where the job can fetch it. In bytes of JSON. */
export const INPUT_LIMIT = 48 * 1024;

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

/**
 * Validates an input by the job's schema and gives the schema's result. No input, as scheduled runs
 * have none, is tried as `undefined` and as `{}`, so that a schema's defaults come to life. Without
 * a schema anything goes. Throws `BadInput`, also for a schema that does not do its work.
 */
export async function validateInput(job: Job, given: unknown, clock: Clock): Promise<unknown> {
  const { input: schema } = job;
  if (schema === undefined) return given;
  const how: Validating = { schema, marks: marksOf(schema), at: '/input', clock };
  const validated = await validate(given, how);
  if ('value' in validated) return validated.value;
  const mayBeEmpty = given === undefined && validated.answered;
  const empty = mayBeEmpty ? await validate({}, how) : validated;
  if ('value' in empty) return empty.value;
  throw new BadInput(validated.problems);
}
