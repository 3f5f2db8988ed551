import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Deps } from '../core/deps.ts';
import { BrokenRecord } from '../core/apply.ts';
import { describeError } from '../core/outcome.ts';
import { BadCursor, StoreFailure } from '../core/store.ts';
import { WakeFailed } from '../core/wake.ts';
import { isApi } from './rules.ts';

/** One thing wrong with a request, and where. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** An answer that is not what was asked for. Its text is meant to be seen. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: {
      readonly errors?: readonly FieldProblem[];
      readonly headers?: Readonly<Record<string, string>>;
      /** For the log, never for the answer. */
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.title = title;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** Seconds after which a caller may come again. */
const RETRY_AFTER = '5';

/** Answers with problem details (RFC 9457) to programs; what is not meant to be seen is logged. */
export function errorHandler(deps: Deps): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    // Without its four parameters it would be no handler of errors to express, which prints them.
    const problem = problemOf(error);
    if (problem.status >= 500 && !wasAnswered(error)) {
      const { message, stack } = describeError(error);
      deps.log('error', 'request_failed', {
        path: req.path,
        status: problem.status,
        error: message,
        stack,
      });
    }
    if (!res.headersSent) sendProblem(req, res, problem);
    // Nobody may take a part of an answer for all of it.
    else if (!res.writableEnded) res.destroy();
  };
}

/** Whether a route came to its answer when the connection had given one, as to a broken body. */
const wasAnswered = (error: unknown): boolean =>
  Reflect.get(Object(error), 'code') === 'ERR_HTTP_HEADERS_SENT';

function problemOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  // What a body parser's own check threw comes wrapped.
  const inner: unknown = Reflect.get(Object(error), 'cause');
  if (inner instanceof HttpError) return inner;
  if (error instanceof BadCursor) {
    const message = 'was not given out by this list; start without one';
    const errors = [{ path: '?cursor', message }];
    return new HttpError(400, 'Bad cursor', `?cursor: ${message}`, { errors });
  }
  if (error instanceof StoreFailure || error instanceof WakeFailed) {
    const headers = { 'Retry-After': RETRY_AFTER };
    return new HttpError(503, 'Store unavailable', `${storeTrouble(error)}; try again`, {
      headers,
      cause: error,
    });
  }
  if (error instanceof BrokenRecord) return new HttpError(409, 'Record unusable', error.message);
  return parserProblem(error) ?? new HttpError(500, 'Internal error', 'something went wrong here');
}

/** What keeps the store from doing its part, as far as anybody may know: a part of a sentence. */
export function storeTrouble(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof StoreFailure && cause.why !== undefined) {
      return `the store can't be used: ${cause.why}`;
    }
  }
  return 'the store does not answer';
}

/** What express and its body parser refuse, in our words. */
function parserProblem(error: unknown): HttpError | undefined {
  const status: unknown = Reflect.get(Object(error), 'status');
  const type: unknown = Reflect.get(Object(error), 'type');
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  switch (type) {
    case 'entity.parse.failed':
      return new HttpError(
        400,
        'Invalid JSON',
        `the body is not JSON: ${describeError(error).message}`,
      );
    case 'entity.too.large':
      return new HttpError(413, 'Body too large', 'the body may have at most 64 KB');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new HttpError(415, 'Unsupported encoding', 'send plain JSON in UTF-8');
    default:
      return new HttpError(status, 'Bad request', 'the request could not be read');
  }
}

function sendProblem(req: Request, res: Response, problem: HttpError): void {
  const { status, title, message: detail, headers } = problem;
  res.status(status).set(headers);
  // Programs read what they asked for, whatever they say that they accept.
  if (!isApi(req.originalUrl) && req.accepts(['json', 'html']) === 'html') {
    res.type('text/plain').send(`${title}: ${detail}\n`);
    return;
  }
  res.type(PROBLEM_TYPE).send(problemText(problem));
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Where a kind of problem is told of: its title stands for it, in the case of an address. */
export const typeOf = (title: string): string =>
  `/api/v1/docs#${title.toLowerCase().replaceAll(' ', '-')}`;

/** An answer's body, for programs. */
export function problemText({ status, title, message: detail, errors }: HttpError): string {
  const some = errors.length > 0 && { errors };
  return JSON.stringify({ type: typeOf(title), title, status, detail, ...some });
}
