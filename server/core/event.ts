import type { Definition } from './define.ts';
import type { Grant, RunChange } from './draft.ts';
import type { ActionRecord, JobRecord, Note, Run, SpecRecord } from './records.ts';
import type { Ending } from './settle.ts';
import type { Instant } from './time.ts';

/** Everything that can happen to a job. */
export type Event =
  | { readonly kind: 'wake' }
  | { readonly kind: 'renew'; readonly attemptId: string; readonly note: Note | null }
  | { readonly kind: 'finish'; readonly attemptId: string; readonly ending: Ending }
  | { readonly kind: 'manual'; readonly run: Run; readonly beside: boolean }
  | { readonly kind: 'cancel'; readonly runId: string; readonly by: string | null }
  | { readonly kind: 'free'; readonly runId: string; readonly by: string | null }
  | {
      readonly kind: 'pause';
      readonly by: string | null;
      readonly note: string | null;
      readonly until: Instant | null;
    }
  | { readonly kind: 'resume'; readonly by: string | null }
  | {
      readonly kind: 'backfill';
      readonly id: string;
      readonly from: Instant;
      readonly to: Instant;
      readonly by: string | null;
    }
  | { readonly kind: 'end-backfill'; readonly id: string; readonly by: string | null }
  | { readonly kind: 'define'; readonly definition: Definition }
  | { readonly kind: 'retire' }
  /** Retention is about to delete what lies up to `from`. */
  | { readonly kind: 'forget'; readonly from: Instant };

/** A decision, ready to be committed; or that there is nothing to do; or why it can't be. */
export type Stepped =
  | {
      readonly kind: 'write';
      readonly record: JobRecord;
      readonly runs: readonly RunChange[];
      readonly specs: readonly SpecRecord[];
      readonly actions: readonly ActionRecord[];
      readonly grant: Grant | undefined;
    }
  | { readonly kind: 'nothing' }
  | Refusal;

export interface Refusal {
  readonly kind: 'refused';
  readonly why:
    | 'busy'
    | 'queue-full'
    | 'retired'
    | 'not-unfinished'
    | 'not-held'
    | 'backfill-running'
    | 'other-backfill'
    | 'nothing-to-backfill'
    | 'too-many-pauses'
    | 'no-such-job'
    | 'other-namespace'
    | 'unsteady'
    | 'exists';
  /** The run in the way, where there is one. */
  readonly runId: string | null;
}

export type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

export const refuse = (why: Refusal['why'], runId: string | null = null): Refusal => ({
  kind: 'refused',
  why,
  runId,
});
