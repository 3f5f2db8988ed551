import type { Deps } from './deps.ts';
import { describeError } from './outcome.ts';
import type { Run } from './records.ts';
import type { Ending } from './settle.ts';
import { StoreUnavailable, UnknownOutcome } from './store.ts';
import { sleep, STAMP } from './time.ts';

/** A late result is tried again this often. */
const AGAIN_MS = 5000;

/**
 * What an attempt came to after it was ended, by itself or another: kept beside the run, and
 * changes no state. Tries for so long where the store can't be reached.
 */
export async function keepLateResult(
  { store, log, clock }: Deps,
  { job, id: run }: Run,
  late: {
    readonly attemptId: string;
    readonly ending: Ending;
    readonly notes: readonly string[];
    readonly withinMs: number;
  },
): Promise<void> {
  const { attemptId, ending, notes, withinMs } = late;
  const { outcome, output, error } = ending;
  const result = { attemptId, outcome, output, error, notes, at: STAMP };
  log('warn', 'late_result', { job, run, outcome, error: error?.message });
  const giveUpAt = clock.monotonic() + withinMs;
  for (;;) {
    try {
      return await store.saveLateResult(run, result);
    } catch (cause) {
      const { message } = describeError(cause);
      log('warn', 'late_result_not_saved', { job, run, error: message });
      const down = cause instanceof StoreUnavailable || cause instanceof UnknownOutcome;
      if (!down || clock.monotonic() >= giveUpAt) return;
    }
    await sleep(clock, AGAIN_MS);
  }
}
