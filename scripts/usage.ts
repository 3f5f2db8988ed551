import { readFileSync } from 'node:fs';

/** A mistake in the words of a command. */
export class BadUsage extends Error {
  override readonly name = 'BadUsage';
}

/** The comment at the top of a script is the one place where its usage is written down. */
export function usageOf(script: string): string {
  const source = readFileSync(new URL(script, import.meta.url), 'utf8');
  const comment = source.slice(source.indexOf('/**') + 3, source.indexOf('*/'));
  return comment.replaceAll(/^ \* ?/gm, '').trim();
}

/** The one word that a command needs. */
export function one(words: readonly string[], what: string): string {
  const [word, more] = words;
  if (word !== undefined && more === undefined) return word;
  throw new BadUsage(
    `expected ${what}${more === undefined ? '' : ` and nothing more, got ${more}`}`,
  );
}

/** The word of an option, one of those that there are. */
export function oneOf<Word extends string>(
  text: string,
  option: string,
  words: readonly Word[],
): Word {
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw new BadUsage(`--${option} is "${text}"; right would be one of ${words.join(', ')}`);
}

/** The whole number of an option, from 1 to `max`. */
export function whole(
  text: string | undefined,
  option: string,
  preset: number,
  max: number,
): number {
  const value = text === undefined ? preset : Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new BadUsage(`--${option} is "${text}"; right would be a whole number from 1 to ${max}`);
}
