import type { AbortReason } from './abort.ts';
import type { Result } from './handler.ts';
import { describeError } from './outcome.ts';
import type { AttemptOutcome, RunError } from './records.ts';
import { bareEnding, type Ending } from './settle.ts';

/** What became of a handler. */
export interface Settled {
  readonly result: Result;
  /** Its first error that did not come through its promise. */
  readonly stray: RunError | undefined;
  /** Why it was asked to stop, if it was; `signal.reason` says the same. */
  readonly reason: AbortReason | undefined;
  readonly signal: AbortSignal;
}

/** What the end of a handler makes of its attempt. */
export function endingOf({ result, stray, reason, signal }: Settled): Ending {
  const early = reason === undefined || reason === 'failed';
  if (stray !== undefined && early) return bareEnding('failed', stray);
  const { output } = result;
  const error = result.error ?? stray ?? null;
  const outcome = outcomeOf(error, reason);
  if (outcome === 'timed_out' || outcome === 'cancelled') {
    return { ...bareEnding(outcome, error ?? describeError(signal.reason)), output };
  }
  return { ...bareEnding(outcome, error), output };
}

function outcomeOf(error: RunError | null, reason: AbortReason | undefined): AttemptOutcome {
  if (reason === 'timeout') return 'timed_out';
  if (error === null) return 'succeeded';
  switch (reason) {
    case 'cancelled':
    case 'replaced':
      return 'cancelled';
    case 'draining':
      return 'interrupted';
    case 'lease_lost':
    case 'failed':
    case undefined:
      return 'failed';
  }
}
