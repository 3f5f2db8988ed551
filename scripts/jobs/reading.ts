import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { timeOf } from '../../server/core/filter-time.ts';
import { isRunState, RUN_STATES, TRIGGERS } from '../../server/core/run.ts';
import { describeError } from '../../server/core/outcome.ts';
import { isoInstant } from '../../server/core/time.ts';
import { BadUsage, oneOf } from '../usage.ts';

/** Words and options of commands, read into what the API takes. Each throws `BadUsage`. */

/** The job that a command may name. */
export function maybeOne(words: readonly string[], what: string): string | undefined {
  const [word, ...more] = words;
  if (more.length > 0)
    throw new BadUsage(`expected one ${what} at most, got ${more.join(' ')} too`);
  return word;
}

export function nothing(words: readonly string[]): void {
  if (words.length > 0) throw new BadUsage(`expected nothing more, got ${words.join(' ')}`);
}

/** Such as `failed,lost`. */
export function states(text: string | undefined): string | undefined {
  const wrong = text?.split(',').find((state) => !isRunState(state));
  if (wrong === undefined) return text;
  throw new BadUsage(`--state is "${wrong}"; right would be one of ${RUN_STATES.join(', ')}`);
}

export const trigger = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : oneOf(text, 'trigger', TRIGGERS);

/**
 * An instant, a day in UTC, or a length of time back from now, as the filter of the dashboard takes
 * them. A day is taken in whole: `first` is where it begins, `last` where it ends.
 */
export function instant(
  text: string | undefined,
  option: string,
  which: 'first' | 'last',
): number | undefined {
  if (text === undefined) return undefined;
  const found = timeOf(text.toLowerCase(), Date.now());
  if (found !== undefined) return found[which];
  throw new BadUsage(
    `--${option} is "${text}"; right would be such as 2026-03-07T07:30:00Z, 2026-03-07, today, 36h`,
  );
}

/** What the API leaves out lies at its `since`; here it belongs to it. */
export function since(text: string | undefined): string | undefined {
  const first = instant(text, 'since', 'first');
  return first === undefined ? undefined : isoInstant(first - 1);
}

export function until(text: string | undefined): string | undefined {
  const last = instant(text, 'until', 'last');
  return last === undefined ? undefined : isoInstant(last);
}

/** The caller's own, or one that stands for this call. */
export function keyOf(key: string | undefined): string {
  if (key === undefined) return randomUUID();
  if (/^(?=.*[!-~])[ -~]{1,255}$/.test(key)) return key;
  throw new BadUsage('--key has to be 1 to 255 printable ASCII characters');
}

const FROM_STDIN = '-';

/** JSON text from a file, or from what is piped in; undefined where none is given. */
export function inputText(input: string | undefined): string | undefined {
  if (input === undefined) return undefined;
  const name = input === FROM_STDIN ? 'standard input' : input;
  try {
    const bytes = readFileSync(input === FROM_STDIN ? process.stdin.fd : input);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new BadUsage(`--input ${name}: ${describeError(error).message}`);
  }
}

/** `undefined` for no `--wait`, `Infinity` for one without an end, else milliseconds. */
export function waitMs(wait: string | undefined): number | undefined {
  if (wait === undefined) return undefined;
  if (wait === '') return Infinity;
  const seconds = /^\d{1,7}$/.test(wait) ? Number(wait) : 0;
  if (seconds > 0) return seconds * 1000;
  throw new BadUsage(
    `--wait is "${wait}"; right would be whole seconds, or none to wait to the end`,
  );
}
