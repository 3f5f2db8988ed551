import type { Deps } from '../../core/deps.ts';
import type { LogChunk, LogLine, Run } from '../../core/records.ts';
import { isFinal } from '../../core/run.ts';
import { priceOf } from '../../core/store.ts';
import { sleep } from '../../core/time.ts';
import { attemptOf, placeBehind, type Place } from '../log-place.ts';
import { entriesBehind, readChunks } from '../log-view.ts';

/** A log is written once a second, or with each beat where that is billed. A look is two reads. */
const LOOK_MS = { free: 500, billed: 5000 } as const;
/** A page of long lines has fewer of them. */
const PAGE_BYTES = 1024 * 1024;

export interface LoggedLine {
  readonly attempt: number;
  readonly line: LogLine;
}

/** Lines that are not kept any more, to keep the log within its limit. */
export interface Gap {
  readonly attempt: number;
  readonly dropped: number;
}

export interface LogPage {
  readonly entries: readonly (LoggedLine | Gap)[];
  readonly next: Place;
  /** Whether there was nothing behind it when it was read. */
  readonly complete: boolean;
  /** The last chunk that was read. */
  readonly last: LogChunk | undefined;
}

/** Lines of a log behind a place, the oldest first, at most `most`. */
export async function readLogPage(
  { store }: Pick<Deps, 'store'>,
  runId: string,
  { from, most }: { readonly from: Place; readonly most: number },
): Promise<LogPage> {
  const entries: (LoggedLine | Gap)[] = [];
  let [next, last]: [Place, LogChunk | undefined] = [from, undefined];
  let [lines, bytes] = [0, 0];
  for await (const chunks of readChunks(store, runId, from)) {
    for (const chunk of chunks) {
      last = chunk;
      for (const entry of entriesBehind(chunk, next)) {
        const attempt = attemptOf(chunk);
        if (entry.kind === 'dropped') {
          entries.push({ attempt, dropped: entry.count });
          next = { n: chunk.n, line: chunk.first };
          continue;
        }
        if (lines === most || bytes > PAGE_BYTES) return { entries, next, complete: false, last };
        entries.push({ attempt, line: entry.line });
        const { line } = attemptOf(next) === attempt ? next : { line: chunk.first };
        next = { n: chunk.n, line: line + 1 };
        lines += 1;
        bytes += entry.line.text.length + (entry.line.fields?.length ?? 0);
      }
      next = placeBehind(chunk);
    }
  }
  return { entries, next, complete: true, last };
}

/** How long a log is followed, and by whom. */
export interface Following {
  readonly withinMs: number;
  /** Aborted when whoever follows is gone. */
  readonly gone: AbortSignal;
}

/**
 * Looks at a run and at its log, again and again, until `look` says that it is enough, or there is
 * no more time. It is given the run as it stood before: of one that is over by then, the log is
 * whole. Undefined for a run that is deleted.
 */
export async function follow<Seen>(
  deps: Pick<Deps, 'store' | 'clock' | 'runner'>,
  run: Run,
  { withinMs, gone }: Following,
  look: (over: boolean) => Promise<{ readonly seen: Seen; readonly enough: boolean }>,
): Promise<Seen> {
  const deadline = deps.clock.monotonic() + withinMs;
  let over = isFinal(run.state);
  for (;;) {
    const { seen, enough } = await look(over);
    const left = deadline - deps.clock.monotonic();
    if (enough || over || left <= 0 || gone.aborted || deps.runner.draining) return seen;
    const pause = sleep(deps.clock, Math.min(LOOK_MS[priceOf(deps.store)], left), gone);
    // Of a run in this process it is known without asking.
    await Promise.race([pause, deps.runner.endOf(run.id) ?? pause]);
    const now = await deps.store.getRun(run.id);
    over = now === undefined || isFinal(now.state);
  }
}
