/**
 * The word that somebody probably meant: one that begins with what was typed, or differs from it in
 * few letters (for each three of them, one may be wrong, missing, too many, or in its neighbour's
 * place). `undefined` where nothing is near.
 */
export function nearest(typed: string, words: Iterable<string>): string | undefined {
  const most = Math.max(1, Math.floor(typed.length / 3));
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const word of words) {
    const begins = typed.length > 1 && word.startsWith(typed);
    const far = begins ? 0.5 : distance(typed, word, most);
    if (far <= most && (best === undefined || far < best.far)) best = { word, far };
  }
  return best?.word;
}

/** Longer ones are not compared: the work grows with the square. */
const COMPARED = 64;

/** How many letters are to be put in, left out, changed or swapped; `Infinity` for many. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most || Math.max(a.length, b.length) > COMPARED) {
    return Infinity;
  }
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const cost = Math.min(
        at(row, j) + 1,
        at(next, j - 1) + 1,
        at(row, j - 1) + (same ? 0 : 1),
        swapped ? at(before, j - 2) + 1 : Infinity,
      );
      next.push(cost);
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

const at = (row: readonly number[], i: number): number => row[i] ?? Infinity;
