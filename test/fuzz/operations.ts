import type { Random } from '../simulation/random.ts';
import type { Document } from '../http/conforms.ts';
import { bytesOf, draft, encoded, type Draft, type Pair } from './draft.ts';
import { HOLDING } from './jobs.ts';
import type { Pool, SeenRun } from './pool.ts';
import { rightFor, word } from './values.ts';

/** An operation of the OpenAPI document, with all that a request for it can have. */
export interface Operation {
  readonly id: string;
  /** `POST /api/v1/jobs/{name}/runs`. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Properties of its body; null where it takes none. */
  readonly body: BodySchema | null;
  /** The statuses that it may answer. */
  readonly statuses: readonly number[];
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

interface BodySchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

/** Operations that are right only for a run that is not over. */
const OF_THE_LIVING = new Set(['cancelRun', 'freeRun']);
/** Jobs whose runs do not end by themselves. */
const LASTING = [...HOLDING, 'fails'];
const LIVING = ['queued', 'running', 'retry_wait'];

export function operationsOf(document: Document): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { operationId: id, parameters = [], responses }: any = operation;
      const body: BodySchema | undefined = Reflect.get(operation, 'requestBody')?.content[
        'application/json'
      ].schema;
      const whole = `/api/v1${path === '/' ? '' : path}`;
      return {
        id,
        parameters,
        path: whole,
        method: method.toUpperCase(),
        body: body ?? null,
        what: `${method.toUpperCase()} ${whole}`,
        statuses: Object.keys(responses).map(Number),
      };
    }),
  );
}

/** A request that is right, as far as that can be known. */
export function rightRequest(operation: Operation, pool: Pool, random: Random): Draft {
  const { what, method, path, parameters } = operation;
  const params = paramsFor(operation, pool, random);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encoded(params[name] ?? ''));
  const query: Pair[] = [];
  const headers: Pair[] = [];
  for (const parameter of parameters) {
    if (parameter.in === 'path' || !(parameter.required === true || random.chance(0.3))) continue;
    const value = valueFor(operation, parameter, pool, random);
    if (value === undefined) continue;
    if (parameter.in === 'query') query.push([parameter.name, encoded(value)]);
    else headers.push([parameter.name, bytesOf(value)]);
  }
  const json = bodyFor(operation, params, pool, random);
  const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  return { ...draft(what, method, filled), params, query: inOrder(query), known, headers, json };
}

/** Of two instants that belong together the earlier one comes first. */
function inOrder(query: readonly Pair[]): readonly Pair[] {
  const value = (name: string): string | undefined => query.find(([one]) => one === name)?.[1];
  const [since, until] = [value('since'), value('until')];
  if (since === undefined || until === undefined || since <= until) return query;
  return query.map(([name, text]) => {
    if (name === 'since') return [name, until];
    return name === 'until' ? [name, since] : [name, text];
  });
}

type Params = Record<string, string>;

/** What is in the address: mostly something that is there. */
function paramsFor({ id, what, path }: Operation, pool: Pool, random: Random): Params {
  const before = pool.taken.get(what)?.pick(random);
  if (before !== undefined && random.chance(OF_THE_LIVING.has(id) ? 0.1 : 0.3)) return before;
  if (path.includes('/backfills/{id}')) {
    const { job: name, id: one } = pool.backfills.pick(random) ?? { job: 'past', id: word(random) };
    return { name, id: one };
  }
  if (path.includes('{name}')) return { name: nameFor(id, pool, random) };
  if (!path.includes('{id}')) return {};
  const wanted = OF_THE_LIVING.has(id) && random.chance(0.8);
  const run = wanted ? pool.runs.pick(random, isLiving) : pool.runs.pick(random);
  return { id: run?.id ?? `plain!${word(random)}` };
}

/** Whether somebody could end it. */
export const isLiving = ({ job, state }: SeenRun): boolean =>
  LASTING.includes(job) && LIVING.includes(state);

function nameFor(id: string, pool: Pool, random: Random): string {
  // Only jobs with a schedule have a past.
  if (id === 'startBackfill' && random.chance(0.7))
    return random.pick('past', 'past', 'past-holds');
  if (id === 'startRun' && random.chance(0.3)) return random.pick(...LASTING);
  return pool.names.pick(random) ?? 'plain';
}

const DAY_MS = 86_400_000;

/** As it is before it is encoded; undefined where nothing would be right. */
function valueFor(
  { id, what }: Operation,
  { name, schema }: Parameter,
  pool: Pool,
  random: Random,
): string | undefined {
  const later = (days: number): string => new Date(pool.now + days * DAY_MS).toISOString();
  switch (name) {
    case 'cursor':
      return pool.cursors.get(what)?.pick(random);
    case 'job':
      return pool.names.pick(random);
    case 'tag':
      return pool.tags.pick(random) ?? 'calm';
    case 'from':
      return id === 'listUpcoming' ? later(random.between(0, 10)) : undefined;
    case 'until':
      return id === 'listUpcoming' ? later(random.between(11, 300)) : textOf(schema, random);
    case 'follow':
      return random.pick('0', '0', '0', '1');
    case 'Idempotency-Key':
      return random.pick(`key ${random.below(5)}`, pool.keys.pick(random) ?? 'key', word(random));
    case 'Prefer':
      return random.pick('wait=0', 'wait=1', 'respond-async', 'wait=1, handling=strict');
    case 'traceparent':
      return `00-${'4bf92f3577b34da6'.repeat(2)}-00f067aa0ba902b7-01`;
    default:
      return textOf(schema, random);
  }
}

/** Several values of a list stand in one, with commas between them. */
function textOf(schema: Parameter['schema'], random: Random): string {
  const value = rightFor(schema, random);
  if (!Array.isArray(value)) return String(value);
  return value.length === 0 ? textOf(schema, random) : value.join(',');
}

function bodyFor(
  { id, body }: Operation,
  { name = '' }: Params,
  pool: Pool,
  random: Random,
): unknown {
  if (body === null) return undefined;
  const { properties, required = [] } = body;
  const made: Record<string, unknown> = {};
  for (const [field, schema] of Object.entries(properties)) {
    if (required.includes(field) || random.chance(0.6)) made[field] = rightFor(schema, random);
  }
  if ('input' in made) {
    const takes = pool.inputs.get(name) ?? null;
    if (takes === null) delete made['input'];
    else made['input'] = rightFor(takes, random);
  }
  if (id === 'startBackfill') Object.assign(made, pastSpan(random));
  if (id === 'pauseJob' && made['until'] !== undefined) made['until'] = '2099-12-31T00:00:00Z';
  if (random.chance(0.7)) delete made['overlap'];
  return Object.keys(made).length === 0 && random.chance(0.5) ? undefined : made;
}

/** Has a 29 February or two in it. */
function pastSpan(random: Random): { readonly from: string; readonly to: string } {
  const year = 2000 + random.below(16);
  return { from: `${year}-01-01T00:00:00Z`, to: `${year + 1 + random.below(8)}-12-31T00:00:00Z` };
}
