/** What a command ends with; jobs.ts tells what each means. */
export const STATUS = {
  done: 0,
  otherwise: 1,
  usage: 2,
  notAllowed: 3,
  notThere: 4,
  conflict: 5,
  noAnswer: 6,
  stillRunning: 7,
  /** As of a program that Ctrl-C has ended, or a pipe that nobody reads. */
  interrupted: 130,
  unread: 141,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

/** Options that take a word. */
export const WORDS = [
  'count',
  'from',
  'input',
  'key',
  'limit',
  'note',
  'overlap',
  'since',
  'state',
  'to',
  'trigger',
  'until',
  'wait',
] as const;

export const FLAGS = ['follow', 'json'] as const;

export type Word = (typeof WORDS)[number];
export type Flag = (typeof FLAGS)[number];

/** Of a `wait` without seconds the word is empty. */
export type Options = { readonly [Name in Word]?: string } & { readonly [Name in Flag]?: boolean };

/** One command: what follows its name, and the options. */
export type Command = (words: readonly string[], options: Options) => Promise<Status>;

/** Something that ends a command, in words for whoever called it. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly status: Status;
  /** Whether what was asked for may be done all the same: the answer is missing. */
  readonly unsure: boolean;

  constructor(status: Status, message: string, { unsure = false } = {}) {
    super(message);
    this.status = status;
    this.unsure = unsure;
  }
}
