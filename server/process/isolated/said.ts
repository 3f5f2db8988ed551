import { error, line, progress } from '../../core/check-history.ts';
import { count, isObject, listOf, nullable, object, text, type Check } from '../../core/checks.ts';
import type { Report } from '../../core/isolate.ts';
import type { RunError } from '../../core/records.ts';

/** What the process of an isolated handler says. */
export type Said =
  | Report
  /** Its handler is being called. */
  | { readonly kind: 'begun' }
  /** How the worker ended, where it can't say so itself. */
  | { readonly kind: 'broken'; readonly error: RunError };

/**
 * What was said in another process, by a handler that may have patched all that it is said with: a
 * worker that says what none says is broken. Undefined for what is not a worker's at all.
 */
export function readSaid(said: unknown): Said | undefined {
  if (isSaid(said)) return said;
  if (!isObject(said) || said['kind'] === undefined) return undefined;
  const message = 'its worker said what can not be read: its handler may have patched a global';
  return { kind: 'broken', error: { name: 'WorkerCrashed', message, stack: null } };
}

const json: Check = (value) => {
  try {
    JSON.parse(String(value));
    return text(value);
  } catch {
    return { path: '', what: 'is not JSON' };
  }
};

const kinds: Readonly<Record<Said['kind'], Check>> = {
  begun: object({}),
  secrets: object({ texts: listOf(text) }),
  told: object({ lines: listOf(line), dropped: count, progress: nullable(progress) }),
  scratch: object({}),
  ended: object({ result: object({ output: nullable(json), error: nullable(error) }) }),
  broken: object({ error }),
};

const checks = new Map<unknown, Check>(Object.entries(kinds));

function isSaid(said: unknown): said is Said {
  const check = isObject(said) ? checks.get(said['kind']) : undefined;
  return check !== undefined && check(said) === undefined;
}
