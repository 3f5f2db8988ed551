import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What really happened, told by those who did it: one line each, appended at once, so that the
 * order of the lines is the order of events. Handlers write `begin`, `effect`, `deaf` (asked to
 * stop, and goes on for a while) and `end`; whoever starts and strikes processes writes `up`,
 * `strike` (about to be killed, or told to stop), `gone` (seen to have ended), `stop` (about to be
 * stopped by SIGSTOP) and `cont` (about to go on).
 */

const WORDS = ['begin', 'effect', 'deaf', 'end', 'up', 'strike', 'gone', 'stop', 'cont'] as const;
type Word = (typeof WORDS)[number];
const BY_HANDLERS: ReadonlySet<Word> = new Set(['begin', 'effect', 'deaf', 'end']);

export interface Line {
  readonly word: Word;
  /** The server's process. */
  readonly pid: number;
  /** The process of an isolated handler; 0 for all else. */
  readonly host: number;
  /** By the machine's clock. The order of lines is what counts. */
  readonly at: number;
  /** These four in lines of handlers only. */
  readonly job: string;
  readonly run: string;
  readonly attempt: number;
  readonly fence: number;
  /** How it ended: `done`, `failed` or why its signal fired; of a process, what struck it. */
  readonly how: string;
}

/** Whose line it is: a server's process, or a host's of that server as `server/host`. */
export type Writer = number | `${number}/${number}`;

export type WriteLine = (word: Word, writer: Writer, rest?: string) => void;

const pathIn = (folder: string): string => join(folder, 'journal');

/** Writes lines; one `write` in append mode each, which the system does not tear apart. */
export function openJournal(folder: string): WriteLine {
  let file: number | undefined;
  return (word, writer, rest = '') => {
    file ??= openSync(pathIn(folder), 'a');
    writeSync(file, `${word} ${writer} ${Date.now()} ${rest}\n`);
  };
}

export const readJournal = (folder: string): Line[] => [...linesIn(folder)];

/** The lines one by one: hours of them would not fit into one text. */
export function* linesIn(folder: string): Generator<Line> {
  for (const text of textsIn(pathIn(folder))) yield parseLine(text);
}

export const parseJournal = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);

const CHUNK = 1024 * 1024;

function* textsIn(path: string): Generator<string> {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    let rest = '';
    for (;;) {
      const size = readSync(file, chunk, 0, CHUNK, null);
      if (size === 0) break;
      // All that is written is ASCII, so no letter is torn apart.
      const texts = (rest + chunk.toString('latin1', 0, size)).split('\n');
      rest = texts.pop() ?? '';
      yield* texts;
    }
    if (rest !== '') yield rest;
  } finally {
    closeSync(file);
  }
}

function parseLine(text: string): Line {
  const words = text.trimEnd().split(' ');
  const [first, writer = '', at] = words;
  const word = WORDS.find((one) => one === first);
  if (word === undefined) throw new Error(`not a line of the journal: ${text}`);
  const [pid = NaN, host = 0] = writer.split('/').map(Number);
  const own = { word, pid, host, at: Number(at) };
  if (!BY_HANDLERS.has(word)) {
    return { ...own, job: '', run: '', attempt: NaN, fence: NaN, how: words[3] ?? '' };
  }
  const [, , , job = '', run = '', attempt, fence, how = ''] = words;
  return { ...own, job, run, attempt: Number(attempt), fence: Number(fence), how };
}

/** A line in words. */
export const say = ({ word, run, attempt, fence, pid, host, at }: Line): string =>
  `${word} of ${run} (attempt ${attempt}, token ${fence}, process ${pid}` +
  `${host === 0 ? '' : `, isolated in ${host}`}) at ${new Date(at).toISOString()}`;
