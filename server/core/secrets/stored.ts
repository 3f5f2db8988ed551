import type { Job } from '../job.ts';
import type { Run } from '../records.ts';
import { isEncrypted, placeOf, SecretUnreadable, type Cipher } from './cipher.ts';
import { LEFT_OUT, marksOf, replaceMarked, type Marks } from './marks.ts';

/*
 * Inputs and outputs as they are stored and shown. A secret part of an input is stored as
 * `{"$secret": "v1.…"}` in its place, bound to the job, the run and that place; one of an output is
 * never needed again, so nothing of it is stored. A value that somebody sends in that form is a
 * value like any other: where nothing is secret it is never decrypted.
 */

/** Stands for a secret wherever somebody looks. */
export const HIDDEN = '[secret]';

const FIELD = '$secret';

type Named = Pick<Job, 'name' | 'input'>;

/** JSON text of an input with its secret parts encrypted for a run; null for no input. */
export function sealInput(
  cipher: Cipher | null,
  job: Named,
  given: { readonly text: string | null; readonly runId: string },
): { readonly text: string | null; readonly hasSecret: boolean } {
  const { text, runId } = given;
  const marks = marksOf(job.input);
  if (text === null || marks === null) return { text, hasSecret: false };
  let hasSecret = false;
  const sealed = replaceMarked(marks, JSON.parse(text), (part, pointer) => {
    if (cipher === null) {
      throw new Error(`job "${job.name}" takes a secret, and PUNCTUAL_SECRET_KEY is not set`);
    }
    hasSecret = true;
    const where = { job: job.name, runId, pointer };
    return { [FIELD]: cipher.encrypt(JSON.stringify(part), where) };
  });
  return { text: JSON.stringify(sealed), hasSecret };
}

/**
 * The input of a run as it was given, undefined for none; with it each secret part. What was stored
 * before its place became secret stands in clear. Throws `SecretUnreadable`.
 */
export function openInput(
  cipher: Cipher | null,
  job: Named,
  { id, input }: Pick<Run, 'id' | 'input'>,
): { readonly value: unknown; readonly secrets: readonly unknown[] } {
  if (input === null) return { value: undefined, secrets: [] };
  const secrets: unknown[] = [];
  const value = replaceMarked(marksOf(job.input), JSON.parse(input), (part, pointer) => {
    const stored = encryptedIn(part);
    const opened = stored === undefined ? part : open(stored, pointer);
    secrets.push(opened);
    return opened;
  });
  return { value, secrets };

  function open(stored: string, pointer: string): unknown {
    const where = { job: job.name, runId: id, pointer };
    if (cipher !== null) return JSON.parse(cipher.decrypt(stored, where));
    const what = `the secret ${placeOf(where)} is encrypted`;
    throw new SecretUnreadable(`${what}, and PUNCTUAL_SECRET_KEY is not set here`);
  }
}

/** What is encrypted in a part of a stored input; undefined where it is in clear. */
function encryptedIn(part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null || !Object.hasOwn(part, FIELD)) return undefined;
  const stored: unknown = Reflect.get(part, FIELD);
  const only = Object.keys(part).length === 1;
  return only && typeof stored === 'string' && isEncrypted(stored) ? stored : undefined;
}

/** A run as people and programs see it. `job` is undefined where its code is not at hand. */
export function shownRun(run: Run, job: Pick<Job, 'input' | 'output'> | undefined): Run {
  const { lateResult: late } = run;
  const hidden = (text: string | null): string | null => hide(marksOf(job?.output), text);
  return {
    ...run,
    input: shownInput(run.input, job),
    output: hidden(run.output),
    lateResult: late && { ...late, output: hidden(late.output) },
  };
}

/**
 * A stored input as people and programs see it: `[secret]` where its schema says so, and where
 * something stands encrypted.
 */
export const shownInput = <Text extends string | null>(
  text: Text,
  job: Pick<Job, 'input'> | undefined,
): Text | string => (text === null ? text : (hide(marksOf(job?.input), text) ?? text));

function hide(marks: Marks, text: string | null): string | null {
  if (text === null || (marks === null && !text.includes(`"${FIELD}"`))) return text;
  try {
    const shown = replaceMarked(marks, JSON.parse(text), () => HIDDEN);
    return JSON.stringify(shown, (_key, part: unknown) =>
      encryptedIn(part) === undefined ? part : HIDDEN,
    );
  } catch {
    // A record that was edited by hand: nobody can tell what is secret in it.
    return marks === null ? text : HIDDEN;
  }
}

/** An input to be given again, without its secrets: those are given anew. */
export function withoutSecrets(job: Pick<Job, 'input'>, value: unknown): unknown {
  const left = replaceMarked(marksOf(job.input), value, () => LEFT_OUT);
  if (left === undefined) return undefined;
  // What is encrypted where nothing is secret any more can't be given again either.
  const text = JSON.stringify(left, (_key, part: unknown) =>
    encryptedIn(part) === undefined ? part : undefined,
  );
  return text === undefined ? undefined : JSON.parse(text);
}

/** JSON text of an output as it is stored, and the secret parts that are not. */
export function hideOutput(
  { output }: Pick<Job, 'output'>,
  text: string | null,
): { readonly text: string | null; readonly secrets: readonly unknown[] } {
  const marks = marksOf(output);
  if (text === null || marks === null) return { text, secrets: [] };
  const secrets: unknown[] = [];
  const hidden = replaceMarked(marks, JSON.parse(text), (part) => {
    secrets.push(part);
    return HIDDEN;
  });
  return { text: JSON.stringify(hidden), secrets };
}
