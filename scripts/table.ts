import { visible } from '../views/html.ts';

/** How a table is to look, where it is not just text. */
export interface Look {
  /** How many columns of a terminal there are for it. */
  readonly width?: number;
  /** Heads of columns that are never cut: half an id is of no use to anybody. */
  readonly whole?: readonly string[];
  /** Gives a cell its colour, when it has its width already. */
  readonly paint?: (cell: string, text: string, head: string) => string;
}

const GAP = 2;
/** What is cut keeps so much of itself. */
const LEAST = 6;

/**
 * Rows as columns, aligned by their widest cell; the last column runs free. A cell is one line,
 * with nothing in it that a terminal would obey.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { width = Infinity, whole = [], paint = (cell) => cell }: Look = {},
): string {
  const all = [head, ...rows.map((row) => row.map(oneLine))];
  const natural = head.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ''))));
  const isWhole = head.map((name) => whole.includes(name));
  const widths = fitted(natural, { room: width - GAP * (head.length - 1), isWhole });
  const line = (row: readonly string[], isHead: boolean): string => {
    const cells = row.map((text, i) => {
      const cell = padded(text, widths[i] ?? 0, i === head.length - 1);
      return isHead ? cell : paint(cell, text, head[i] ?? '');
    });
    return cells.join(' '.repeat(GAP)).trimEnd();
  };
  return all.map((row, i) => line(row, i === 0)).join('\n');
}

/** Text as one line, with whatever would not be seen spelt out. */
export const oneLine = (text: string): string =>
  visible(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');

/** The widest columns are cut first, until all of them have room; those that stay whole, never. */
function fitted(
  natural: readonly number[],
  { room, isWhole }: { readonly room: number; readonly isWhole: readonly boolean[] },
): readonly number[] {
  const widths = natural.map((width, i) => (isWhole[i] ? width : Math.min(width, room)));
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, 0);
    const cuttable = widths.map((width, i) => (isWhole[i] || width <= LEAST ? 0 : width));
    const widest = Math.max(...cuttable);
    if (total <= room || widest === 0) return widths;
    widths[cuttable.indexOf(widest)] = widest - 1;
  }
}

function padded(text: string, width: number, isLast: boolean): string {
  const shown = widthOf(text) <= width ? text : cut(text, width);
  return isLast ? shown : shown + ' '.repeat(Math.max(0, width - widthOf(shown)));
}

function cut(text: string, width: number): string {
  let shown = '';
  let taken = 1;
  for (const letter of lettersOf(text)) {
    taken += widthOfLetter(letter);
    if (taken > width) break;
    shown += letter;
  }
  return `${shown}…`;
}

const ASCII = /^[ -~]*$/;

/** How many columns a text takes. */
export const widthOf = (text: string): number =>
  ASCII.test(text)
    ? text.length
    : lettersOf(text).reduce((sum, letter) => sum + widthOfLetter(letter), 0);

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

const lettersOf = (text: string): string[] =>
  [...segmenter.segment(text)].map(({ segment }) => segment);

/** Scripts whose letters are as wide as two, and pictures. */
const WIDE = new RegExp(
  String.raw`^[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\p{Emoji_Presentation}` +
    String.raw`\u3000-\u303e\uff01-\uff60]|\ufe0f`,
  'u',
);

const widthOfLetter = (letter: string): number => (WIDE.test(letter) ? 2 : 1);
