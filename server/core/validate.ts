import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ownIn, pointerStep } from './json-schema.ts';
import { describeError } from './outcome.ts';
import { markedIn, secretDepth, type Marks } from './secrets/marks.ts';
import { Scrubber } from './secrets/scrubber.ts';
import { sleep, type Clock } from './time.ts';

/** One thing that is wrong with a value, and where: a JSON pointer below `/input` or `/output`. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

/** What a schema made of a value; or everything that is wrong with it, at once. */
export type Validated =
  | { readonly value: unknown }
  /** `answered` is false where the schema did not do its work. */
  | { readonly problems: readonly InputProblem[]; readonly answered: boolean };

/** A value that a job's schema is asked about. */
export interface Validating {
  readonly schema: StandardSchemaV1;
  /** What the schema marks as secret: no problem quotes it. */
  readonly marks: Marks;
  /** Where it stands: `/input`. */
  readonly at: string;
  readonly clock: Clock;
}

/** A schema that looks things up may take its time, but not for ever. */
const VALIDATE_WITHIN_MS = 5000;
const PROBLEMS_LIMIT = 50;
/** All that is said of what is secret, since a schema's own words may quote it. */
const QUIETLY = 'is not what its schema asks for';

/** Asks a schema about a value. Never throws: a schema that does not do its work is a problem. */
export async function validate(given: unknown, how: Validating): Promise<Validated> {
  const result = await ask(how, given);
  if (typeof result === 'string') {
    const message = quietly(how.marks, given, result);
    return { problems: [{ path: how.at, message }], answered: false };
  }
  if (result.issues === undefined) return { value: result.value };
  const issues: readonly unknown[] = Array.isArray(result.issues) ? result.issues : [];
  const problems = new Map<string, InputProblem>();
  for (const issue of issues.slice(0, PROBLEMS_LIMIT)) {
    const problem = problemOf(issue, given, how);
    problems.set(JSON.stringify(problem), problem);
  }
  if (problems.size > 0) return { problems: [...problems.values()], answered: true };
  const message = 'refused without a reason';
  return { problems: [{ path: how.at, message }], answered: true };
}

/** The schema's answer; words on its own faults, where it has none. */
async function ask(
  { schema, clock }: Validating,
  given: unknown,
): Promise<StandardSchemaV1.Result<unknown> | string> {
  const answered = new AbortController();
  const tooLate = sleep(clock, VALIDATE_WITHIN_MS, answered.signal).then(() => undefined);
  try {
    const asked = Promise.resolve(schema['~standard'].validate(given));
    const result: unknown = await Promise.race([asked, tooLate]);
    if (result === undefined) return `the job's schema gave no answer in ${VALIDATE_WITHIN_MS} ms`;
    return isResult(result) ? result : "the job's schema gave something that is no answer";
  } catch (error) {
    return `the job's schema failed: ${describeError(error).message}`;
  } finally {
    answered.abort();
  }
}

const isResult = (value: unknown): value is StandardSchemaV1.Result<unknown> =>
  typeof value === 'object' && value !== null && ('issues' in value || 'value' in value);

/** What a schema calls an issue, read with care: it is somebody else's. */
function problemOf(issue: unknown, given: unknown, { marks, at }: Validating): InputProblem {
  const path: unknown = Reflect.get(Object(issue), 'path');
  const said: unknown = Reflect.get(Object(issue), 'message');
  const message = typeof said === 'string' ? said : 'refused';
  const keys = Array.isArray(path) ? path.map(keyOf) : [];
  const depth = secretDepth(marks, keys);
  if (depth === undefined) {
    return { path: pointerTo(at, keys), message: quietly(marks, given, message) };
  }
  // Also the names within it are its own.
  const secret = keys.slice(0, depth);
  const isThere = valueAt(given, secret) !== undefined;
  return { path: pointerTo(at, secret), message: isThere ? QUIETLY : message };
}

const pointerTo = (at: string, keys: readonly string[]): string =>
  `${at}${keys.map(pointerStep).join('')}`;

const keyOf = (part: unknown): string =>
  String(typeof part === 'object' && part !== null ? Reflect.get(part, 'key') : part);

const valueAt = (given: unknown, keys: readonly string[]): unknown => keys.reduce(ownIn, given);

/** Words on the rest of a value, or on all of it, which may quote what is secret within. */
function quietly(marks: Marks, given: unknown, message: string): string {
  if (marks === null) return message;
  const scrubber = new Scrubber();
  scrubber.learn(markedIn(marks, given));
  return scrubber.text(message);
}
