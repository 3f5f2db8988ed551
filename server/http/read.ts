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

/** Somebody may ask for any number of things that there are not: so many are told of. */
const TOLD = 20;

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
  if (errors.length > 0) throw badRequest(errors.slice(0, TOLD));
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
