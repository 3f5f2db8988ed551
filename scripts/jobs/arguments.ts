import { parseArgs } from 'node:util';
import { describeError } from '../../server/core/outcome.ts';
import { BadUsage } from '../usage.ts';
import { FLAGS, WORDS, type Flag, type Options, type Word } from './command.ts';

/** What follows a command's name, by the options that it takes. Throws `BadUsage`. */
export function readArguments(
  command: string,
  args: readonly string[],
  takes: readonly (Word | Flag)[],
): { readonly words: readonly string[]; readonly options: Options } {
  try {
    const { values, positionals } = parseArgs({
      args: withWait(args),
      allowPositionals: true,
      options: Object.fromEntries(takes.map((name) => [name, KINDS.get(name) ?? WORD])),
    });
    return { words: positionals, options: optionsOf(values) };
  } catch (error) {
    const [told] = describeError(error).message.split('. ');
    const known = takes.map((name) => `--${name}`).join(', ');
    throw new BadUsage(`${told}; ${command} takes ${known || 'no options'}`);
  }
}

const WORD = { type: 'string' } as const;
const KINDS: ReadonlyMap<string, { readonly type: 'boolean'; readonly short?: string }> = new Map([
  ['json', { type: 'boolean' }],
  ['follow', { type: 'boolean', short: 'f' }],
]);

/** Only `--wait` may stand without its word: then what follows it is no number. */
const withWait = (args: readonly string[]): string[] =>
  args.map((arg, i) => (arg === '--wait' && !/^\d+$/.test(args[i + 1] ?? '') ? '--wait=' : arg));

function optionsOf(values: Readonly<Record<string, unknown>>): Options {
  const options: { -readonly [Name in keyof Options]: Options[Name] } = {};
  for (const name of WORDS) {
    const value = values[name];
    if (typeof value === 'string') options[name] = value;
  }
  for (const name of FLAGS) if (values[name] === true) options[name] = true;
  return options;
}
