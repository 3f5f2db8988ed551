import type { Request } from 'express';
import * as v from 'valibot';
import { pointerStep } from '../../core/json-schema.ts';
import type { FieldProblem } from '../errors.ts';
import { badRequest, NAME_SHOWN, sentQuery, UNKNOWN_TOLD } from '../read.ts';
import type { Fields, Parts } from './endpoint.ts';

/** What a request has, read and found right. */
export interface Given<P extends Fields, Q extends Fields, H extends Fields, B extends Fields> {
  readonly params: Values<P>;
  readonly query: Values<Q>;
  readonly headers: Values<H>;
  readonly body: Values<B>;
}

type Values<F extends Fields> = v.InferOutput<v.ObjectSchema<F, undefined>>;

/**
 * Reads all parts of a request by their schemas. What is wrong is told at once, each under its
 * path: `name` of the address, `?limit` of the query, `Idempotency-Key` of the headers, `/input/a`
 * of the body. `also` is asked then, what else is wrong with a body that is an object.
 */
export async function readRequest<
  P extends Fields,
  Q extends Fields,
  H extends Fields,
  B extends Fields,
>(
  req: Request,
  parts: Parts<Fields, Fields, Fields, Fields>,
  also: (body: unknown) => Promise<readonly FieldProblem[]>,
): Promise<Given<P, Q, H, B>> {
  const problems: FieldProblem[] = [];
  const read = (
    fields: Fields,
    sent: Sent,
    pathOf: (key: string) => string,
  ): Record<string, unknown> => {
    problems.push(...sent.problems);
    const result = v.safeParse(v.object(fields), sent.values, { abortPipeEarly: true });
    if (result.success) return result.output;
    for (const { path, message } of result.issues) {
      const [first = '', ...rest] = path?.map(({ key }) => String(key)) ?? [];
      const lacks = rest.length === 0 && !Object.hasOwn(sent.values, first);
      problems.push({
        path: pathOf(first) + rest.map(pointerStep).join(''),
        message: lacks ? `is missing; ${expectedOf(fields[first])}` : message,
      });
    }
    return {};
  };
  const body = sentBody(req, parts.body);
  if (body === undefined) problems.push({ path: '', message: 'expected a JSON object' });
  const given = {
    params: read(parts.params, { values: req.params, problems: [] }, (key) => key),
    query: read(parts.query, queryOf(req, parts.query), (key) => `?${key}`),
    headers: read(parts.headers, sentHeaders(req, parts.headers), (key) => key),
    body: body === undefined ? {} : read(parts.body, body, pointerStep),
  };
  if (isRight<Given<P, Q, H, B>>(given, problems)) return given;
  const more = body === undefined ? [] : await also(body.values);
  throw badRequest([...problems, ...more]);
}

/** What a field says of a value that is none. */
function expectedOf(field: v.GenericSchema | undefined): string {
  const result = field && v.safeParse(field, undefined);
  return result?.issues?.[0].message ?? 'it has to be there';
}

/** The schemas found nothing wrong, so it is what they say. */
const isRight = <Right>(_given: unknown, problems: readonly FieldProblem[]): _given is Right =>
  problems.length === 0;

interface Sent {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly FieldProblem[];
}

function queryOf(req: Request, known: Fields): Sent {
  const { found, problems } = sentQuery(req, Object.keys(known));
  return { values: Object.fromEntries(found), problems };
}

const list = (names: readonly string[]): string => names.join(', ');

/** Node joins a header that comes twice to one value, which could pass for a key. */
const ONCE: ReadonlySet<string> = new Set(['Idempotency-Key']);

function sentHeaders(req: Request, known: Fields): Sent {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(known)) {
    const given = req.rawHeaders.filter(
      (_, i) => i % 2 === 1 && req.rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase(),
    );
    if (given.length > 0) values[name] = ONCE.has(name) && given.length > 1 ? given : list(given);
  }
  return { values, problems: [] };
}

/** An absent body is an empty one; undefined for what is no object, and so has no fields. */
function sentBody(req: Request, known: Fields): Sent | undefined {
  const body: unknown = req.body;
  if (body === undefined) return { values: {}, problems: [] };
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const names = Object.keys(known);
  const words = names.length === 0 ? 'this takes no body' : `known here: ${list(names)}`;
  const unknown = Object.keys(body).filter((key) => !Object.hasOwn(known, key));
  return {
    values: Object.fromEntries(Object.entries(body)),
    problems: unknown.slice(0, UNKNOWN_TOLD).map((key) => {
      return { path: pointerStep(key.slice(0, NAME_SHOWN)), message: `unknown field; ${words}` };
    }),
  };
}
