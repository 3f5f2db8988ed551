import { beginning } from './beginning.ts';
import type { RunError } from './records.ts';

/**
 * Output is for people and for the next job; what is bigger belongs where the job stores things.
 */
export const OUTPUT_LIMIT = 64 * 1024;
const MESSAGE_LIMIT = 4000;
const STACK_LIMIT = 8000;

/** Gives a text without what is not to be told. */
export type Clean = (text: string) => string;

const asItIs: Clean = (text) => text;

/**
 * Says what was thrown, whatever it was, in words that `clean` has gone over before they are cut.
 * Never throws, also for errors that do when looked at.
 */
export function describeError(thrown: unknown, clean: Clean = asItIs): RunError {
  const cut = (text: string, limit: number): string => shortened(clean(text), limit);
  try {
    if (thrown instanceof Error) {
      const causes = causesOf(thrown, clean);
      return {
        name: cut(String(thrown.name), 200),
        message: cut([String(thrown.message), ...causes].join('; because '), MESSAGE_LIMIT),
        stack: thrown.stack === undefined ? null : cut(String(thrown.stack), STACK_LIMIT),
      };
    }
    const message = cut(`threw ${whatIs(thrown)}`, MESSAGE_LIMIT);
    return { name: 'NonError', message, stack: null };
  } catch {
    return { name: 'Unknown', message: 'threw something that can not be read', stack: null };
  }
}

function whatIs(thrown: unknown): string {
  switch (typeof thrown) {
    case 'undefined':
      return 'undefined';
    case 'object':
      return thrown === null ? 'null' : `an object: ${safeJson(thrown)}`;
    case 'function':
      return 'a function';
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'symbol':
      return `a ${typeof thrown}: ${String(thrown)}`;
  }
}

function causesOf(error: Error, clean: Clean): string[] {
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [];
  const messages = inner.slice(0, 5).map((one) => describeError(one, clean).message);
  let cause: unknown = error.cause;
  while (cause instanceof Error && messages.length < 5) {
    messages.push(String(cause.message));
    cause = cause.cause;
  }
  return messages;
}

const shortened = (text: string, limit: number): string =>
  text.length <= limit ? text : `${beginning(text, limit)}… (${text.length} characters)`;

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'an object that is not JSON';
  }
}

/** What a handler returned can't be kept. */
export class BadOutput extends Error {
  override readonly name = 'BadOutput';
}

/**
 * JSON text of what a handler returned; null for nothing. Throws `BadOutput` for what JSON would
 * drop or bend without a word (functions, Maps, NaN, …), for cycles, and beyond OUTPUT_LIMIT bytes.
 */
export function toOutput(value: unknown): string | null {
  if (value === undefined) return null;
  const refused = refuse(value);
  if (refused !== undefined) throw new BadOutput(`its output is ${refused}, which is not JSON`);
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (key: string, part: unknown) => {
      const why = refuse(part);
      if (why !== undefined) throw new BadOutput(`its output has ${why} at "${key}": not JSON`);
      return part;
    });
  } catch (error) {
    if (error instanceof BadOutput) throw error;
    throw new BadOutput(`its output is not JSON: ${describeError(error).message.split('\n')[0]}`);
  }
  if (text === undefined) return null;
  const bytes = Buffer.byteLength(text);
  if (bytes > OUTPUT_LIMIT) {
    throw new BadOutput(`its output is ${bytes} bytes of JSON; ${OUTPUT_LIMIT} is most`);
  }
  return text;
}

function refuse(part: unknown): string | undefined {
  switch (typeof part) {
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'bigint':
      return 'a bigint';
    case 'number':
      return Number.isFinite(part) ? undefined : String(part);
    case 'object':
      return part === null ? undefined : lossy(part);
    case 'boolean':
    case 'string':
    case 'undefined':
      return undefined;
  }
}

/** Objects that JSON.stringify turns into `{}`. */
function lossy(part: object): string | undefined {
  for (const kind of [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error]) {
    if (part instanceof kind) return `a ${kind.name}`;
  }
  return undefined;
}
