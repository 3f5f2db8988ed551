import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Job } from './job.ts';
import { describeError } from './outcome.ts';
import { sleep, type Clock } from './time.ts';

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

/** A schema that looks things up may take its time, but not for ever. */
const VALIDATE_WITHIN_MS = 5000;

/** The stored input (JSON text, or null for none) as the handler gets it; throws `BadInput`. */
export async function readInput(job: Job, stored: string | null, clock: Clock): Promise<unknown> {
  const given: unknown = stored === null ? undefined : JSON.parse(stored);
  return await validateInput(job, given, clock);
}

/**
 * Validates an input by the job's schema and gives the schema's result. No input, as scheduled runs
 * have none, is tried as `undefined` and as `{}`, so that a schema's defaults come to life. Without
 * a schema anything goes. Throws `BadInput`, also for a schema that does not do its work.
 */
export async function validateInput(job: Job, given: unknown, clock: Clock): Promise<unknown> {
  const { input } = job;
  if (input === undefined) return given;
  const result = await ask(input, given, clock);
  if (result.issues === undefined) return result.value;
  if (given === undefined) {
    const empty = await ask(input, {}, clock);
    if (empty.issues === undefined) return empty.value;
  }
  const issues = Array.isArray(result.issues) ? result.issues : [];
  const problems = issues.slice(0, 50).map(problemOf);
  throw new BadInput(problems.length > 0 ? problems : [whole('refused without a reason')]);
}

const whole = (message: string): InputProblem => ({ path: '/input', message });

/** Asks the schema, whose own faults come back as a problem of the input. */
async function ask(
  schema: StandardSchemaV1,
  given: unknown,
  clock: Clock,
): Promise<StandardSchemaV1.Result<unknown>> {
  const answered = new AbortController();
  const tooLate = sleep(clock, VALIDATE_WITHIN_MS, answered.signal).then(() => undefined);
  try {
    const asked = Promise.resolve(schema['~standard'].validate(given));
    const result: unknown = await Promise.race([asked, tooLate]);
    if (result === undefined) {
      throw new BadInput([whole(`the job's schema gave no answer in ${VALIDATE_WITHIN_MS} ms`)]);
    }
    if (isResult(result)) return result;
    throw new BadInput([whole("the job's schema gave something that is no answer")]);
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput([whole(`the job's schema failed: ${describeError(error).message}`)]);
  } finally {
    answered.abort();
  }
}

const isResult = (value: unknown): value is StandardSchemaV1.Result<unknown> =>
  typeof value === 'object' && value !== null && ('issues' in value || 'value' in value);

/** What a schema calls an issue, read with care: it is somebody else's. */
function problemOf(issue: unknown): InputProblem {
  const path: unknown = Reflect.get(Object(issue), 'path');
  const message: unknown = Reflect.get(Object(issue), 'message');
  const keys = Array.isArray(path) ? path.map(keyOf) : [];
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { path: `/input${pointer}`, message: typeof message === 'string' ? message : 'refused' };
}

const keyOf = (part: unknown): string =>
  String(typeof part === 'object' && part !== null ? Reflect.get(part, 'key') : part);
