import type { GenericSchema } from 'valibot';
import { actionShape } from './actions.ts';
import { backfillShape } from './backfills.ts';
import {
  jobDetailShape,
  jobShape,
  occurrenceShape,
  pauseShape,
  policiesShape,
} from './job-shape.ts';
import { logGapShape, logLineShape } from './logs.ts';
import { attemptShape, errorShape, progressShape, runShape, runSummaryShape } from './run-shape.ts';
import { fieldProblem, problemShape } from './shapes.ts';
import { systemShape } from './system-shape.ts';

/** What has a name of its own in the document. */
export const COMPONENTS: Readonly<Record<string, GenericSchema>> = {
  Job: jobShape,
  JobDetail: jobDetailShape,
  Pause: pauseShape,
  Policies: policiesShape,
  Occurrence: occurrenceShape,
  RunSummary: runSummaryShape,
  Run: runShape,
  Attempt: attemptShape,
  RunError: errorShape,
  Progress: progressShape,
  LogLine: logLineShape,
  LogGap: logGapShape,
  Backfill: backfillShape,
  Action: actionShape,
  System: systemShape,
  Problem: problemShape,
  FieldProblem: fieldProblem,
};
