import { lineRow, type LogEntry, type LogPart } from '../../../views/log.ts';
import type { LogChunk, LogLine, Progress, Run } from '../../core/records.ts';
import { priceOf, type Store } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { attemptOf, BEGINNING, placeBehind, type Place } from '../log-place.ts';

/** A page shows a log from its end. */

const placeText = ({ n, line }: Place): string => `${n}.${line}`;

/** Undefined for what is no place. */
export function readPlace(text: string): Place | undefined {
  const [, n, line] = /^(\d{1,12})\.(\d{1,12})$/.exec(text) ?? [];
  return n === undefined ? undefined : { n: Number(n), line: Number(line) };
}

/** Which lines are asked for: those between two places, or of these only what matches. */
export interface LogAsked {
  /** Null: from the first on, of which a page shows the newest. */
  readonly after: Place | null;
  /** Null: up to the end. */
  readonly before: Place | null;
  readonly matches: ((line: LogLine) => boolean) | null;
  /** When the run began: lines of other days are told with their date. */
  readonly since: Instant;
}

/** A page stays quick to draw with so many lines, and to send with so many bytes of them. */
const LINES_SHOWN = 500;
const BYTES_SHOWN = 64_000;
/**
 * How many chunks each look back reads, of which the first mostly finds enough. Where each chunk
 * is billed they are fewer: it holds all that came within a beat. What is searched for may lie
 * farther back, and a search that found little can go on.
 */
const LOOKS = {
  free: { plain: [16, 240], search: Array.from({ length: 8 }, () => 256) },
  billed: { plain: [8, 24], search: [32, 32] },
} as const;

const BEHIND_ALL = Number.MAX_SAFE_INTEGER;

interface Numbered extends Place {
  readonly told: LogLine;
}

export interface LogRead extends LogPart {
  /** The chunk that was written last, if any was read. */
  readonly newest: LogChunk | undefined;
}

/** Lines of a log, the newest that a page has room for; in at most 2 reads, or 8 of a search. */
export async function readLogPart(
  store: Pick<Store, 'readLogEnd' | 'costs'>,
  runId: string,
  asked: LogAsked,
): Promise<LogRead> {
  const { chunks, complete } = await lookBack(store, runId, asked);
  const all = chunks.flatMap((chunk) => linesOf(chunk, asked));
  const shown = newestThatFit(all, asked.since);
  const [first, newest] = [chunks[0], chunks.at(-1)];
  const cut = shown.length < all.length ? shown[0] : undefined;
  const more = cut ?? (complete || first === undefined ? undefined : startOf(first));
  return {
    entries: marked(shown, asked, asked.after ?? (more === undefined ? BEGINNING : null)),
    before: more === undefined ? null : placeText(more),
    after: placeText(newest === undefined ? (asked.after ?? BEGINNING) : placeBehind(newest)),
    newest,
  };
}

/** Reads chunks from the end on until there are lines enough, or none are left. */
async function lookBack(
  store: Pick<Store, 'readLogEnd' | 'costs'>,
  runId: string,
  asked: LogAsked,
): Promise<{ readonly chunks: readonly LogChunk[]; readonly complete: boolean }> {
  const looks = LOOKS[priceOf(store)];
  const from = asked.after?.n ?? 0;
  // The chunk of the place itself may have earlier lines.
  let before = asked.before === null ? BEHIND_ALL : asked.before.n + 1;
  let chunks: LogChunk[] = [];
  let [lines, bytes] = [0, 0];
  for (const limit of looks[asked.matches === null ? 'plain' : 'search']) {
    const found = await store.readLogEnd(runId, { from, before, limit });
    chunks = [...found, ...chunks];
    if (found.length < limit) return { chunks, complete: true };
    for (const { told } of found.flatMap((chunk) => linesOf(chunk, asked))) {
      lines += 1;
      bytes += told.text.length + (told.fields?.length ?? 0);
    }
    if (lines > LINES_SHOWN || bytes > BYTES_SHOWN) break;
    before = found[0]?.n ?? before;
  }
  return { chunks, complete: false };
}

/** The lines of a chunk that are asked for. */
function linesOf(chunk: LogChunk, { after, before, matches }: LogAsked): Numbered[] {
  const attempt = attemptOf(chunk);
  const least = after !== null && attempt === attemptOf(after) ? after.line : 0;
  const most = before !== null && attempt === attemptOf(before) ? before.line : Infinity;
  return chunk.lines
    .map((told, i) => ({ n: chunk.n, line: chunk.first + i, told }))
    .filter(({ line, told }) => line >= least && line < most && (matches?.(told) ?? true));
}

const startOf = ({ n, first }: LogChunk): Place => ({ n, line: first });

/** At least one, however long it is: a page cuts it. */
function newestThatFit(all: readonly Numbered[], since: Instant): readonly Numbered[] {
  let [from, bytes] = [all.length, 0];
  while (from > 0 && all.length - from < LINES_SHOWN) {
    const line = all[from - 1];
    if (line !== undefined) bytes += Buffer.byteLength(lineRow(line.told, since).markup);
    if (bytes > BYTES_SHOWN && from < all.length) break;
    from -= 1;
  }
  return all.slice(from);
}

/**
 * The lines with marks between them: where an attempt begins, and where lines are missing. `start`
 * is where they should begin; null where it is not known.
 */
function marked(
  lines: readonly Numbered[],
  { matches, after }: LogAsked,
  start: Place | null,
): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  let before = start;
  for (const { n, line, told } of lines) {
    const attempt = attemptOf({ n });
    const goesOn = before === null || attemptOf(before) === attempt;
    if (!goesOn) entries.push({ kind: 'attempt', n: attempt });
    const missing = before === null ? 0 : line - (goesOn ? before.line : 0);
    if (missing > 0 && matches === null) {
      // Since the last look more came than a page is sent at once.
      const behind = after !== null && entries.length === 0;
      entries.push({ kind: behind ? 'behind' : 'dropped', count: missing });
    }
    entries.push({ kind: 'line', line: told });
    before = { n, line: line + 1 };
  }
  return entries;
}

/** How far a run said that it is: while it goes on, its present attempt. */
export function progressOf(run: Run, newest: LogChunk | undefined): Progress | null {
  const current = run.attempts.at(-1)?.n;
  const noted = newest !== undefined && attemptOf(newest) === current ? newest.progress : null;
  return run.endedAt === null ? noted : (run.progress ?? noted);
}

/** The chunk that was written last. */
export const readNewest = async (
  store: Pick<Store, 'readLogEnd'>,
  runId: string,
): Promise<LogChunk | undefined> =>
  (await store.readLogEnd(runId, { from: 0, before: BEHIND_ALL, limit: 1 })).at(-1);
