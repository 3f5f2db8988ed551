import type { Request } from 'express';
import { parseInstant } from '../core/time.ts';
import { HttpError, type FieldProblem } from './errors.ts';

/** Reads the parts of a request into values, or answers 400 with everything wrong at once. */

export const badRequest = (errors: readonly FieldProblem[]): HttpError =>
  new HttpError(
    400,
    'Bad request',
    errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
    { errors },
  );

/** The body as an object with known fields; an absent body is an empty one. */
export function readBody(req: Request, known: readonly string[]): Record<string, unknown> {
  const body: unknown = req.body;
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest([{ path: '', message: 'expected a JSON object' }]);
  }
  const unknown = Object.keys(body).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw badRequest(
      unknown.slice(0, 20).map((key) => ({
        path: `/${key.slice(0, 100)}`,
        message: `unknown field; known here: ${known.join(', ')}`,
      })),
    );
  }
  return Object.fromEntries(Object.entries(body));
}

/** Query parameters by name, each at most once. */
export function readQuery(req: Request, known: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const errors: FieldProblem[] = [];
  for (const [name, value] of Object.entries(req.query)) {
    const path = `?${name.slice(0, 100)}`;
    if (!known.includes(name))
      errors.push({ path, message: `unknown; known: ${known.join(', ')}` });
    else if (typeof value !== 'string') errors.push({ path, message: 'may be given only once' });
    else if (value !== '') found.set(name, value);
  }
  if (errors.length > 0) throw badRequest(errors);
  return found;
}

export function wholeNumber(
  query: ReadonlyMap<string, string>,
  name: string,
  { preset, min, max }: { readonly preset: number; readonly min: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === undefined) return preset;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw badRequest([
    { path: `?${name}`, message: `expected a whole number from ${min} to ${max}` },
  ]);
}

/** An RFC 3339 instant, in ms. */
export function instant(value: unknown, path: string): number {
  const at = typeof value === 'string' ? parseInstant(value) : undefined;
  if (at !== undefined) return at;
  throw badRequest([{ path, message: 'expected an instant such as 2026-03-07T07:30:00Z' }]);
}

/** The same, where null or nothing stands for none. */
export const instantOrNull = (value: unknown, path: string): number | null =>
  value === undefined || value === null ? null : instant(value, path);

/** The `Idempotency-Key` header: 1 to 255 visible ASCII characters, once; undefined when absent. */
export function idempotencyKey(req: Request): string | undefined {
  const all = headerValues(req, 'idempotency-key');
  const [key] = all;
  if (key === undefined) return undefined;
  if (all.length === 1 && /^[\x20-\x7e]{1,255}$/.test(key) && key.trim() !== '') return key;
  const message = 'expected one value of 1 to 255 printable ASCII characters';
  throw badRequest([{ path: 'Idempotency-Key', message }]);
}

/** Node joins repeated headers; the raw list still tells them apart. */
function headerValues(req: Request, name: string): string[] {
  const raw = req.rawHeaders;
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
}

/** Seconds of `Prefer: wait=N` (RFC 7240), in ms and at most `maxMs`; undefined when absent. */
export function preferWaitMs(req: Request, maxMs: number): number | undefined {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(req.get('prefer') ?? '');
  return match === null ? undefined : Math.min(Number(match[1]) * 1000, maxMs);
}
