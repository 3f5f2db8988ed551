import type { LogChunk } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { LogView } from '../core/summary.ts';

/** Chunks are at most 64 KB, so a page of them is some megabytes at worst. */
const CHUNKS_PER_READ = 50;
/** With 20,000 chunks this is hours of a log that is written every second. */
const READS_LIMIT = 400;
/** Chunks of attempt k are numbered from (k − 1) times this; lines start at 0 with each attempt. */
const CHUNKS_PER_ATTEMPT = 1_000_000;

type Entry = LogView['entries'][number];

/**
 * A run's log in order, its newest `limit` lines, with a mark wherever lines are left out: dropped
 * to keep the log within its limit, or older than what is asked for. Progress is the last one
 * noted.
 */
export async function readLogView(
  store: Pick<Store, 'readLog'>,
  runId: string,
  limit: number,
): Promise<LogView> {
  let entries: Entry[] = [];
  let progress: LogView['progress'] = null;
  let last: LogChunk | undefined;
  for await (const chunks of readChunks(store, runId)) {
    for (const chunk of chunks) {
      entries.push(...entriesOf(chunk, last));
      progress = chunk.progress ?? progress;
      last = chunk;
    }
    entries = newest(entries, limit);
  }
  return { entries, progress };
}

/** All that is kept of a run's log, from its beginning, in bounded pages. */
export async function* readChunks(
  store: Pick<Store, 'readLog'>,
  runId: string,
): AsyncGenerator<readonly LogChunk[]> {
  let from = 0;
  for (let read = 0; read < READS_LIMIT; read++) {
    const chunks = await store.readLog(runId, from, CHUNKS_PER_READ);
    const last = chunks.at(-1);
    if (last !== undefined) yield chunks;
    if (last === undefined || chunks.length < CHUNKS_PER_READ) return;
    from = last.n + 1;
  }
}

/** A chunk's lines, behind a mark where lines before them are missing. */
export function entriesOf(chunk: LogChunk, before: LogChunk | undefined): Entry[] {
  const lines = chunk.lines.map((line) => ({ kind: 'line', line }) as const);
  const missing = chunk.first - endOf(before, chunk);
  return missing > 0 ? [{ kind: 'dropped', count: missing }, ...lines] : lines;
}

/** Number of the line after the last one of the chunk before; 0 where an attempt begins. */
function endOf(before: LogChunk | undefined, { n }: LogChunk): number {
  if (before === undefined || attemptOf(before) !== attemptOf({ n })) return 0;
  return before.first + before.lines.length;
}

/** The attempt that a chunk is of, from 1. */
export const attemptOf = ({ n }: { readonly n: number }): number =>
  Math.floor(n / CHUNKS_PER_ATTEMPT) + 1;

/** The last `limit` entries, with one mark in front for all the lines before them. */
function newest(entries: Entry[], limit: number): Entry[] {
  if (entries.length <= limit + 1) return entries;
  const kept = entries.slice(-limit);
  const count = entries.slice(0, -limit).reduce((sum, entry) => sum + linesIn(entry), 0);
  return [{ kind: 'dropped', count }, ...kept];
}

const linesIn = (entry: Entry): number => (entry.kind === 'dropped' ? entry.count : 1);
