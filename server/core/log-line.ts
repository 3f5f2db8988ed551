import { beginning } from './beginning.ts';
import type { JobLog } from './context.ts';
import type { Level } from './deps.ts';
import { describeError } from './outcome.ts';
import type { LogLine } from './records.ts';
import type { Scrubber } from './secrets/scrubber.ts';
import type { Instant } from './time.ts';

/** How much of a run's log is kept; of a longer one the oldest part is dropped, and it says so. */
export const LOG_LIMIT = 512 * 1024;
const LINE_LIMIT = 8 * 1024;

/** What a handler says. */
export interface Said {
  readonly level: Level;
  readonly text: unknown;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** The function that handlers call; `add` hears each of its calls. */
export function jobLog(add: (said: Said) => void): JobLog {
  const at =
    (level: Level) =>
    (text: string, fields?: Readonly<Record<string, unknown>>): void =>
      add({ level, text, fields });
  const levels = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return Object.assign(at('info'), levels);
}

/** What was said, as it is kept: bounded, in text, and without secrets. */
export function lineOf({ level, text, fields }: Said, at: Instant, scrubber: Scrubber): LogLine {
  return {
    at,
    level,
    text: bounded(typeof text === 'string' ? scrubber.text(text) : shown(text, scrubber)),
    fields: fields === undefined ? null : bounded(shown(fields, scrubber)),
  };
}

/** What a line costs in memory and in the store, about. */
export const sizeOf = ({ text, fields }: LogLine): number =>
  text.length + (fields?.length ?? 0) + 40;

function shown(value: unknown, scrubber: Scrubber): string {
  if (isError(value)) {
    const { name, message, stack } = describeError(value, scrubber.text);
    return stack ?? `${name}: ${message}`;
  }
  return scrubber.json(jsonOf(value));
}

/** A Proxy may not even want to say what it is. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

const bounded = (text: string): string =>
  text.length <= LINE_LIMIT ? text : `${beginning(text, LINE_LIMIT)}… (${text.length} characters)`;

function jsonOf(value: unknown): string {
  try {
    const plain = (_: string, part: unknown): unknown =>
      typeof part === 'bigint' ? String(part) : part instanceof Error ? part.message : part;
    return JSON.stringify(value, plain) ?? String(value);
  } catch {
    return 'something that is not JSON';
  }
}
