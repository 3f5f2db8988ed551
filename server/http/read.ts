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

/** A name that somebody made up is told of, but not at any length, and not any number of them. */
export const NAME_SHOWN = 100;
export const UNKNOWN_TOLD = 20;

/** Query parameters by name, each at most once; what is empty counts as not asked for. */
export function readQuery(req: Request, known: readonly string[]): Map<string, string> {
  const { found, problems } = sentQuery(req, known);
  if (problems.length > 0) throw badRequest(problems);
  return found;
}

/** The same, with what is wrong beside what is right. */
export function sentQuery(
  req: Request,
  known: readonly string[],
): { readonly found: Map<string, string>; readonly problems: readonly FieldProblem[] } {
  const found = new Map<string, string>();
  const problems: FieldProblem[] = [];
  const unknown =
    known.length === 0 ? 'unknown; nothing is asked here' : `unknown; known: ${known.join(', ')}`;
  for (const [name, value] of Object.entries(req.query)) {
    const path = `?${name.slice(0, NAME_SHOWN)}`;
    if (!known.includes(name)) problems.push({ path, message: unknown });
    else if (typeof value !== 'string') problems.push({ path, message: 'may be given only once' });
    else if (value !== '') found.set(name, value);
  }
  return { found, problems: problems.slice(0, UNKNOWN_TOLD) };
}

export function wholeNumber(
  query: ReadonlyMap<string, string>,
  name: string,
  { preset, min, max }: { readonly preset: number; readonly min: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === undefined) return preset;
  const read = wholeIn(text, { min, max });
  if ('value' in read) return read.value;
  throw badRequest([{ path: `?${name}`, message: read.wrong }]);
}

/** What a text is, or what is wrong with it, in words. */
export type Read<Value> = { readonly value: Value } | { readonly wrong: string };

/** A whole number from `min` to `max`. */
export function wholeIn(
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): Read<number> {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  const isIn = value >= min && value <= max;
  return isIn ? { value } : { wrong: `expected a whole number from ${min} to ${max}` };
}

export const NO_INSTANT = 'expected an instant such as 2026-03-07T07:30:00Z';

/** An RFC 3339 instant, in ms. */
export function instant(value: unknown, path: string): number {
  const at = typeof value === 'string' ? parseInstant(value) : undefined;
  if (at !== undefined) return at;
  throw badRequest([{ path, message: NO_INSTANT }]);
}
