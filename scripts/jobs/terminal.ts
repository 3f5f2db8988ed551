import { styleText } from 'node:util';
import { visible } from '../../views/html.ts';
import { table } from '../table.ts';

/** What is written for people and programs. Whatever comes from a server is data: see `visible`. */

type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'dim';

const COLOURS: Readonly<Record<string, Colour>> = {
  succeeded: 'green',
  failed: 'red',
  timed_out: 'red',
  lost: 'red',
  missed: 'red',
  broken: 'red',
  error: 'red',
  warn: 'yellow',
  cancelled: 'yellow',
  skipped: 'yellow',
  paused: 'yellow',
  queued: 'cyan',
  retry_wait: 'cyan',
  waiting: 'cyan',
  running: 'cyan',
  retired: 'dim',
  debug: 'dim',
};

/** A text in the colour of a state or a level: on a terminal, unless NO_COLOR is set. */
export function coloured(text: string, word: string): string {
  const colour = Object.hasOwn(COLOURS, word) ? COLOURS[word] : undefined;
  return colour === undefined ? text : styleText(colour, text, { stream: process.stdout });
}

/** Lines of text for whoever reads. */
export const say = (text: string): void => console.log(visible(text));

/** What is no part of the answer. */
export const remark = (text: string): void => console.error(visible(text));

/** Rows as a table, no wider than the terminal; where it goes elsewhere nothing is cut. */
export function sayTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  whole: readonly string[],
): void {
  const width = (process.stdout.isTTY && process.stdout.columns) || Infinity;
  const paint = (cell: string, text: string, name: string): string =>
    name === 'STATE' || name === 'LAST' ? coloured(cell, text) : cell;
  console.log(table(head, rows, { width, whole, paint }));
}

/** One fact a line, its name in front; further lines of it stand under the first. */
export function sayFacts(facts: readonly (readonly [name: string, text: string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  for (const [name, text] of facts) {
    const lines = visible(text).split('\n');
    console.log(`${name.padEnd(width)}${lines.join(`\n${' '.repeat(width)}`)}`);
  }
}

/**
 * JSON for programs. What a terminal would obey is written as JSON's own escapes, so it is the same
 * value.
 */
export const sayJson = (value: unknown): void => console.log(jsonText(value, 2));

/** The same on one line. */
export const sayJsonLine = (value: unknown): void => console.log(jsonText(value, 0));

export const jsonText = (value: unknown, indent: number): string =>
  JSON.stringify(value, null, indent).replaceAll(UNSEEN, (text) =>
    [...Array(text.length).keys()]
      .map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** All that `visible` spells out, but for the line ends between the parts. */
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]--\n]/gv;
