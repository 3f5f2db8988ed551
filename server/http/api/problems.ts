import { typeOf } from '../errors.ts';

/**
 * Every kind of problem that may come instead of an answer, by the title that it comes with: its
 * status, and what it means to whoever gets it.
 */
export const PROBLEMS = {
  'Bad request': [400, 'Something in the request is not right; `errors` has each thing.'],
  'Bad cursor': [400, 'The cursor was not given out by this list with these filters.'],
  'Invalid JSON': [400, 'The body is not strict JSON in UTF-8: `detail` says where.'],
  Unauthorized: [401, 'The service does not know who asks: send a token.'],
  Forbidden: [403, 'Whoever asks is known, and may not do this.'],
  'Not found': [404, 'There is no such address.'],
  'No such job': [404, 'The service has no job of this name, or the caller may not see it.'],
  'No such run': [404, 'No run of this id is on record, or the caller may not see it.'],
  'No such backfill': [404, 'The job’s record tells of no backfill of this id.'],
  'Method not allowed': [405, 'The address exists under other methods: see `Allow`.'],
  'Too slow': [408, 'The request took too long to come.'],
  Busy: [409, 'What the job does already stands in the way: `detail` names it.'],
  'Not running': [409, 'The run is over already.'],
  'Never ran': [409, 'The record tells of occurrences that did not run; backfill them.'],
  'Input unusable': [409, 'The input on record can not be given to the job again.'],
  'Nothing to do': [409, 'No past occurrence lies in the range.'],
  'Too many pauses': [409, 'The job was paused too often while it was busy.'],
  'Record unusable': [409, 'The job’s record was damaged, and the job is set aside until mended.'],
  Exists: [409, 'A run of this id is on record already.'],
  'Body too large': [413, 'A body may have at most 64 KB.'],
  'Unsupported media type': [415, 'A body has to be `application/json`.'],
  'Unsupported encoding': [415, 'A body has to be sent as it is, in UTF-8.'],
  'Expectation failed': [417, 'Nothing but `100-continue` can be expected.'],
  'Key used before': [422, 'The Idempotency-Key stands for another request.'],
  'Queue full': [429, 'As many runs of the job as may wait do so already.'],
  'Too many requests': [429, 'Come again after as many seconds as `Retry-After` says.'],
  'Too many waiting': [429, 'As many requests as may wait for something do so already.'],
  'Headers too large': [431, 'All headers together may have at most 16 KB.'],
  'Too many headers': [431, 'There may be at most 100 headers.'],
  'Internal error': [500, 'Something went wrong here, and is in the service’s log.'],
  Unavailable: [503, 'Nothing can be done just now; come again.'],
  'Store unavailable': [503, 'The store can not be used just now; come again with the same key.'],
} as const satisfies Readonly<Record<string, readonly [status: number, means: string]>>;

/** The title of a problem. */
export type ProblemName = keyof typeof PROBLEMS;

export interface Problem {
  readonly title: string;
  readonly type: string;
  readonly status: number;
  readonly means: string;
}

export const problems: readonly Problem[] = Object.entries(PROBLEMS).map(
  ([title, [status, means]]) => ({ title, type: typeOf(title), status, means }),
);

/** Of these statuses any endpoint may answer any, whatever it is about. */
const SHARED: ReadonlySet<number> = new Set([
  400, 401, 403, 408, 413, 415, 417, 429, 431, 500, 503,
]);

export const sharedProblems = problems.filter(({ status }) => SHARED.has(status));

/** Those that only some endpoints have. */
export const ownProblems = (own: readonly ProblemName[]): readonly Problem[] => {
  const names: readonly string[] = own;
  return problems.filter(({ title }) => names.includes(title));
};
