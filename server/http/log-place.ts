import type { LogChunk } from '../core/records.ts';

/**
 * A place in a log is the number of a chunk and, since a chunk may be written again with more lines
 * under its number, that of the next line, which counts per attempt.
 */
export interface Place {
  readonly n: number;
  readonly line: number;
}

/** Before the first line. */
export const BEGINNING: Place = { n: 0, line: 0 };

/** Behind the last line of a chunk. */
export const placeBehind = ({ n, first, lines }: LogChunk): Place => ({
  n,
  line: first + lines.length,
});

/** Chunks of attempt k are numbered from (k − 1) times this; lines start at 0 with each attempt. */
const CHUNKS_PER_ATTEMPT = 1_000_000;

/** The attempt that a chunk is of, from 1. */
export const attemptOf = ({ n }: { readonly n: number }): number =>
  Math.floor(n / CHUNKS_PER_ATTEMPT) + 1;
