import { pathPart } from '../../views/html.ts';

/** How commands and addresses are written. */

/** Parts of an address below `/api/v1`, each encoded. */
export const pathOf = (...parts: readonly string[]): string => `/${parts.map(pathPart).join('/')}`;

/** A command to be copied. A run's id has a mark that some shells would obey, so it is quoted. */
export function commandText(...words: readonly string[]): string {
  const [, called = ''] = process.argv;
  const begin = called.endsWith('/punctual') ? 'punctual' : 'npm run -s jobs --';
  return [begin, ...words.map(quoted)].join(' ');
}

/** One word of a command, with nothing in it that a shell would obey. */
export const quoted = (word: string): string =>
  /^[\w@.~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
