import type { LogChunk } from '../core/records.ts';
import type { Store } from '../core/store.ts';
import type { LogView } from '../core/summary.ts';
import { attemptOf, BEGINNING, placeBehind, type Place } from './log-place.ts';

/** Chunks are at most 64 KB, so a page of them is some megabytes at worst. */
const CHUNKS_PER_READ = 50;
/** With 20,000 chunks this is hours of a log that is written every second. */
const READS_LIMIT = 400;

export type Entry = LogView['entries'][number];

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
  let place = BEGINNING;
  for await (const chunks of readChunks(store, runId, place)) {
    for (const chunk of chunks) {
      entries.push(...entriesBehind(chunk, place));
      progress = chunk.progress ?? progress;
      place = placeBehind(chunk);
    }
    entries = newest(entries, limit);
  }
  return { entries, progress };
}

/**
 * All that is kept of a run's log from a place on, in bounded pages. The chunk of the place itself
 * is among it: it may have more lines by now.
 */
export async function* readChunks(
  store: Pick<Store, 'readLog'>,
  runId: string,
  { n: start }: Place,
): AsyncGenerator<readonly LogChunk[]> {
  let from = start;
  for (let read = 0; read < READS_LIMIT; read++) {
    const chunks = await store.readLog(runId, from, CHUNKS_PER_READ);
    const last = chunks.at(-1);
    if (last !== undefined) yield chunks;
    if (last === undefined || chunks.length < CHUNKS_PER_READ) return;
    from = last.n + 1;
  }
}

/** A chunk's lines behind a place, with a mark in front where lines before them are missing. */
export function entriesBehind(chunk: LogChunk, place: Place): Entry[] {
  const seen = attemptOf(chunk) === attemptOf(place) ? place.line : 0;
  const lines = chunk.lines
    .slice(Math.max(0, seen - chunk.first))
    .map((line) => ({ kind: 'line', line }) as const);
  const missing = chunk.first - seen;
  return missing > 0 ? [{ kind: 'dropped', count: missing }, ...lines] : lines;
}

/** The last `limit` entries, with one mark in front for all the lines before them. */
function newest(entries: Entry[], limit: number): Entry[] {
  if (entries.length <= limit + 1) return entries;
  const kept = entries.slice(-limit);
  const count = entries.slice(0, -limit).reduce((sum, entry) => sum + linesIn(entry), 0);
  return [{ kind: 'dropped', count }, ...kept];
}

const linesIn = (entry: Entry): number => (entry.kind === 'dropped' ? entry.count : 1);
