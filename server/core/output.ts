import type { Job } from './job.ts';
import { BadOutput, toOutput } from './outcome.ts';
import { marksOf } from './secrets/marks.ts';
import { hideOutput } from './secrets/stored.ts';
import type { Clock } from './time.ts';
import { validate } from './validate.ts';

/**
 * JSON text of what a handler returned, as it is stored: what the job's output schema made of it,
 * without what that marks as secret, which comes beside it. Throws `BadOutput` for what does not
 * fit the schema, and for what can't be kept.
 */
export async function readOutput(
  job: Pick<Job, 'output'>,
  returned: unknown,
  clock: Clock,
): Promise<{ readonly text: string | null; readonly secrets: readonly unknown[] }> {
  const { output: schema } = job;
  if (schema === undefined) return { text: toOutput(returned), secrets: [] };
  const how = { schema, marks: marksOf(schema), at: '/output', clock };
  const validated = await validate(returned, how);
  if ('value' in validated) return hideOutput(job, toOutput(validated.value));
  const all = validated.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new BadOutput(`its output does not fit its schema: ${all}`);
}
