import { wrapped } from './scheduler-text.ts';

/** What the doctor found, as data and as a person reads it. */
export interface Finding {
  readonly check: string;
  readonly mark: Mark;
  readonly says: string;
  /** What to do about it; null where there is nothing to do. */
  readonly todo: string | null;
}

/** `warn` may be as it is meant to be, `bad` can't; what is `skip` was not looked at. */
export type Mark = 'ok' | 'warn' | 'bad' | 'skip';

export const ok = (check: string, says: string): Finding => made(check, 'ok', says, null);
export const skip = (check: string, says: string): Finding => made(check, 'skip', says, null);
export const warn = (check: string, says: string, todo: string): Finding =>
  made(check, 'warn', says, todo);
export const bad = (check: string, says: string, todo: string): Finding =>
  made(check, 'bad', says, todo);

const made = (check: string, mark: Mark, says: string, todo: string | null): Finding => ({
  check,
  mark,
  says,
  todo,
});

/** A group of checks under one heading. */
export interface Group {
  readonly title: string;
  readonly findings: readonly Finding[];
}

const WIDTH = 100;
const MARKS: Readonly<Record<Mark, string>> = {
  ok: '✓ ok  ',
  warn: '! warn',
  bad: '✗ bad ',
  skip: '– skip',
};
const CHECK_WIDTH = 14;
const INDENT = 2 + MARKS.ok.length + 2 + CHECK_WIDTH;

/** Each finding with its mark, its check's name once, and below it what to do about it. */
export function findingLines(groups: readonly Group[]): string[] {
  return groups.flatMap(({ title, findings }) => [
    title,
    ...findings.flatMap((finding, i) => linesOf(finding, findings[i - 1], findings[i + 1])),
    '',
  ]);
}

function linesOf(
  { check, mark, says, todo }: Finding,
  before: Finding | undefined,
  after: Finding | undefined,
): string[] {
  const name = (check === before?.check ? '' : check).padEnd(CHECK_WIDTH);
  const lines = says.split('\n').flatMap((line) => wrapped(line, WIDTH - INDENT));
  // The same is told once, below the last of them.
  const told = todo === null || (after?.check === check && after.todo === todo);
  const steps = told ? [] : wrapped(todo, WIDTH - INDENT - 2);
  const [first = '', ...more] = [
    ...lines,
    ...steps.map((line, i) => (i === 0 ? `→ ${line}` : `  ${line}`)),
  ];
  return [
    `  ${MARKS[mark]}  ${name}${first}`.trimEnd(),
    ...more.map((line) => ' '.repeat(INDENT) + line),
  ];
}

/** How many there are of each mark, in words. */
export function summaryOf(findings: readonly Finding[]): string {
  const words = { bad: 'bad', warn: 'to look at', ok: 'ok', skip: 'not looked at' } as const;
  const marks = ['bad', 'warn', 'ok', 'skip'] as const;
  return marks
    .map((mark) => [findings.filter((one) => one.mark === mark).length, words[mark]] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(', ');
}
