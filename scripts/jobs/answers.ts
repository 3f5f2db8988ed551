import type * as v from 'valibot';
import type { actionShape } from '../../server/http/api/actions.ts';
import type { backfillShape } from '../../server/http/api/backfills.ts';
import type { jobShape, occurrenceShape } from '../../server/http/api/job-shape.ts';
import type { logGapShape, logLineShape } from '../../server/http/api/logs.ts';
import type { progressShape, runShape, runSummaryShape } from '../../server/http/api/run-shape.ts';
import type { problemShape } from '../../server/http/api/shapes.ts';
import type { systemShape } from '../../server/http/api/system-shape.ts';

/*
 * Answers of the API as the command line takes them: a server of another version may leave out any
 * part, and may have others besides.
 */

/** The same where any part may be missing. */
export type Loose<T> = T extends readonly (infer Item)[]
  ? readonly Loose<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> }
    : T;

type Answer<Shape extends v.GenericSchema> = Loose<v.InferOutput<Shape>>;

export type JobAnswer = Answer<typeof jobShape>;
export type RunAnswer = Answer<typeof runShape>;
export type RunSummary = Answer<typeof runSummaryShape>;
export type Progress = Answer<typeof progressShape>;
export type LogEntry = Answer<typeof logLineShape> | Answer<typeof logGapShape>;
export type BackfillAnswer = Answer<typeof backfillShape>;
export type ActionAnswer = Answer<typeof actionShape>;
export type Occurrence = Answer<typeof occurrenceShape>;
export type SystemAnswer = Answer<typeof systemShape>;
export type ProblemAnswer = Answer<typeof problemShape>;

/** A list of an answer; none where it is none. */
export const items = <Item>(list: readonly Item[] | null | undefined): readonly Item[] =>
  Array.isArray(list) ? list : [];

/** A part of an answer as text: `-` for nothing, JSON for what is no text. */
export function text(part: unknown): string {
  if (part === null || part === undefined || part === '') return '-';
  return typeof part === 'string' ? part : JSON.stringify(part);
}

/** An instant to the second: `2026-03-01T02:00:00Z`. */
export const second = (instant: unknown): string => text(instant).replace(/\.\d+Z$/, 'Z');
