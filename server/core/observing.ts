import type { RunChange } from './draft.ts';
import type { JobRecord, Run } from './records.ts';
import { isFinal, type RunState } from './run.ts';

/**
 * Hears what this process did: for figures, and to tell whoever should know. Each instance speaks
 * of its own commits only, so of many that look at one job one tells. Never throws, and nothing
 * waits for it but `settled`.
 */
export interface Observing {
  /** A commit of this process's was applied. */
  recorded(recorded: Recorded): void;
  /** A job was set aside that was not set aside before. */
  setAside(job: string, problem: string): void;
  /** A handler was asked to stop, and goes on: its slot stays held. */
  overdue(run: Run, detail: string): void;
  /**
   * Where an instance may stand still after its answer: resolves when all that is to be told was
   * told, or after so long. Elsewhere at once.
   */
  settled(withinMs: number): Promise<void>;
  readonly figures: Figures;
}

/** What a commit came to. */
export interface Recorded {
  /** The job as it left it. */
  readonly record: JobRecord;
  /** What it ended: runs, and stretches of occurrences that it put on record. */
  readonly ended: readonly Ended[];
  /** The run that it let an attempt begin of. */
  readonly granted: Run | undefined;
}

export interface Ended {
  readonly id: string;
  readonly state: RunState;
  /** Undefined where nobody had to read it: it was cancelled while it waited. */
  readonly run: Run | undefined;
}

/** What this process did since its start. */
export interface Figures {
  /** Attempts that it began, of whichever run. */
  readonly attempts: number;
  /** Runs of which it began the first. */
  readonly started: number;
  /** Ends that it put on record, by state; a stretch of occurrences counts as one. */
  readonly ended: ReadonlyMap<RunState, number>;
  /** How late it started scheduled runs. */
  readonly lateness: Spread;
}

/** How many values were at most so large, as Prometheus counts them. */
export interface Spread {
  readonly count: number;
  readonly sumMs: number;
  /** Each with all that the ones before it have. */
  readonly upTo: readonly { readonly ms: number; readonly count: number }[];
}

/** What a decision's changes ended, with the runs as they then stand. */
export const endedBy = (
  changes: readonly RunChange[],
  runs: ReadonlyMap<string, Run>,
): readonly Ended[] =>
  changes.flatMap((change) => {
    const { id, state } = change.kind === 'create' ? change.run : { ...change.set, id: change.id };
    return state !== undefined && isFinal(state) ? [{ id, state, run: runs.get(id) }] : [];
  });

/** Those of some runs that are over. */
export const endedOf = (runs: readonly Run[]): readonly Ended[] =>
  runs.filter(({ state }) => isFinal(state)).map((run) => ({ id: run.id, state: run.state, run }));
