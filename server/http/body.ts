import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import { HttpError, type FieldProblem } from './errors.ts';
import { readStrictJson } from './strict-json.ts';

/** The longest body that any route takes, in bytes; larger data belongs where a job fetches it. */
export const BODY_LIMIT = 64 * 1024;

/**
 * Reads a body as strict JSON into `req.body`; without one that stays undefined. A body that is
 * too long, or is something else, is refused without reading it. How long its sending may take,
 * and what becomes of the rest of one that was refused, is up to the server.
 */
export const jsonBody: RequestHandler = (req, res, next) => {
  if (!hasBody(req.headers)) return next();
  const isJson = req.is('application/json') !== false;
  const refusal = refusalOf(req.headers, isJson);
  if (refusal !== undefined) return next(refusal);

  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer): void => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > BODY_LIMIT) finish();
  };
  // Of a sender that goes away, or is told by the server that it is too slow, nothing more comes.
  const finish = (): void => {
    req.off('data', take).off('end', finish);
    if (res.headersSent) return;
    if (length > BODY_LIMIT) return next(tooLong());
    const read = readStrictJson(Buffer.concat(chunks));
    if ('problem' in read) return next(notJson(read.problem));
    req.body = read.value;
    next();
  };
  req.on('data', take).on('end', finish);
};

/** Whether something follows the head of a request. */
export const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** What can be told by the headers alone. */
function refusalOf(headers: IncomingHttpHeaders, isJson: boolean): HttpError | undefined {
  const { 'content-encoding': packed = 'identity', 'transfer-encoding': sent = 'chunked' } =
    headers;
  if (!isJson) return new HttpError(415, 'Unsupported media type', 'send application/json');
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(headers['content-type'] ?? '')?.[1];
  const isPlain = /^identity$/i.test(packed) && /^chunked$/i.test(sent);
  if (!isPlain || (charset !== undefined && !/^utf-?8$/i.test(charset))) {
    return new HttpError(415, 'Unsupported encoding', 'send plain JSON in UTF-8');
  }
  return isTooLong(headers) ? tooLong() : undefined;
}

/** Whether a body says itself that it is longer than any that is taken. */
export const isTooLong = (headers: IncomingHttpHeaders): boolean =>
  Number(headers['content-length'] ?? 0) > BODY_LIMIT;

const tooLong = (): HttpError =>
  new HttpError(413, 'Body too large', `the body may have at most ${BODY_LIMIT / 1024} KB`);

function notJson({ path, message }: FieldProblem): HttpError {
  const detail = path === '' ? `the body ${message}` : `${path}: ${message}`;
  return new HttpError(400, 'Invalid JSON', detail, { errors: [{ path, message }] });
}
