import * as v from 'valibot';
import { backfillPlan } from '../../core/backfill-plan.ts';
import { knownBackfill } from '../../core/backfills.ts';
import { backfillId } from '../../core/ids.ts';
import type { Backfill, JobRecord, PastBackfill, Span } from '../../core/records.ts';
import { backfillJob, endBackfill, type Changed } from '../../core/run-now.ts';
import { isoInstant } from '../../core/time.ts';
import { nameOf } from '../caller.ts';
import { HttpError } from '../errors.ts';
import { findJob, readJob } from '../find.ts';
import { badRequest } from '../read.ts';
import { assertDone, unavailable } from '../refusal.ts';
import { endpoint, reply } from './endpoint.ts';
import { backfillIdText, idempotencyKey, instant, jobName } from './fields.ts';
import { at, atOrNull, count, iso, says, textOrNull } from './shapes.ts';

/** An end to counting, as on the pages. */
const COUNTED = 1000;

const counted = v.strictObject({
  count,
  atLeast: says(v.boolean(), 'Whether `count` stopped at its limit: there are more.'),
});

export const backfillShape = v.strictObject({
  id: v.string(),
  job: v.string(),
  from: at,
  to: at,
  state: says(
    v.picklist(['running', 'done', 'ended']),
    '`done`: the last of its runs was opened. `ended`: by somebody, or with the job, before that.',
  ),
  openedUpTo: says(atOrNull, 'The last occurrence that it has opened a run for; null for none.'),
  progress: says(
    v.nullable(v.strictObject({ opened: counted, total: counted })),
    'How many of its runs are opened; null of one that is over.',
  ),
  requestedBy: textOrNull,
  requestedAt: says(atOrNull, 'Null where an older build did not note it.'),
  endedAt: atOrNull,
});

const about = { group: 'Backfills', scope: 'job' } as const;
const LIST = '/jobs/{name}/backfills';
const ONE = '/jobs/{name}/backfills/{id}';
const params = { name: jobName };
const oneParams = { name: jobName, id: backfillIdText };

const listBackfills = endpoint({
  ...about,
  method: 'GET',
  path: LIST,
  id: 'listBackfills',
  summary: 'Backfills of a job',
  description: 'The one under way, and the last 20 that are over, newest first.',
  params,
  answers: {
    200: {
      description: 'Backfills, newest first.',
      schema: v.strictObject({ backfills: v.array(backfillShape) }),
    },
  },
  problems: ['No such job'],
  async handle({ params: { name } }, { deps }) {
    const { record } = await readJob(deps, name);
    return reply(200, { backfills: record === undefined ? [] : backfillsOf(record) });
  },
});

const startBackfill = endpoint({
  ...about,
  method: 'POST',
  path: LIST,
  id: 'startBackfill',
  summary: 'Starts a backfill',
  description:
    'One run for each occurrence from `from` to `to`, both included, one after another, whatever ' +
    'is on record of them. Under one key it is one backfill, as long as it is among the last 20.',
  params,
  headers: { 'Idempotency-Key': v.exactOptional(idempotencyKey) },
  body: {
    from: instant('The first instant.'),
    to: instant('The last instant; not in the future.'),
  },
  answers: {
    202: {
      description: 'The backfill.',
      schema: backfillShape,
      headers: {
        Location: 'The address of the backfill.',
        'Idempotent-Replayed': '`true` where the key’s backfill was there already.',
      },
    },
  },
  problems: ['No such job', 'Busy', 'Nothing to do', 'Record unusable', 'Key used before'],
  async handle({ params: { name }, headers, body }, { deps, req }) {
    findJob(deps, name);
    const { storeNow } = await deps.store.time();
    const span = spanOf(body, storeNow);
    const key = headers['Idempotency-Key'];
    const id = key === undefined ? deps.newId() : backfillId(key);
    const changed = await backfillJob(deps, name, { ...span, by: nameOf(req), id });
    const started = backfillIn(changed, id);
    if (started === undefined) throw noSuchBackfill(id);
    return reply(202, started, {
      Location: `/api/v1/jobs/${name}/backfills/${id}`,
      ...(changed.kind === 'unchanged' && { 'Idempotent-Replayed': 'true' }),
    });
  },
});

const showBackfill = endpoint({
  ...about,
  method: 'GET',
  path: ONE,
  id: 'getBackfill',
  summary: 'One backfill',
  description: 'How far it is. Its runs have its id as `backfillOf`.',
  params: oneParams,
  answers: { 200: { description: 'The backfill.', schema: backfillShape } },
  problems: ['No such job', 'No such backfill'],
  async handle({ params: { name, id } }, { deps }) {
    const { record } = await readJob(deps, name);
    const found = record && knownBackfill(record, id);
    if (record === undefined || found === undefined) throw noSuchBackfill(id);
    return reply(200, backfillJson(record, found));
  },
});

const deleteBackfill = endpoint({
  ...about,
  method: 'DELETE',
  path: ONE,
  id: 'endBackfill',
  summary: 'Ends a backfill',
  description:
    'No more of its runs are opened; one that is under way goes on. A backfill that is over ' +
    'stays as it is.',
  params: oneParams,
  answers: { 200: { description: 'The backfill as it is then.', schema: backfillShape } },
  problems: ['No such job', 'No such backfill', 'Record unusable'],
  async handle({ params: { name, id } }, { deps, req }) {
    findJob(deps, name);
    const ended = backfillIn(await endBackfill(deps, name, { id, by: nameOf(req) }), id);
    if (ended === undefined) throw noSuchBackfill(id);
    return reply(200, ended);
  },
});

const noSuchBackfill = (id: string): HttpError =>
  new HttpError(404, 'No such backfill', `the job's record tells of no backfill "${id}"`);

/** Half-open, as the core has it: both instants that were chosen belong to it. */
function spanOf({ from, to }: Span, now: number): Span {
  const problems = [
    ...(from > now ? [{ path: '/from', message: 'lies in the future' }] : []),
    ...(to > now ? [{ path: '/to', message: 'lies in the future' }] : []),
    ...(to < from ? [{ path: '/to', message: 'lies before the beginning' }] : []),
  ];
  if (problems.length > 0) throw badRequest(problems);
  return { from: from - 1, to };
}

/** What a change left on record of a backfill; undefined where that is nothing. */
function backfillIn(changed: Changed, id: string) {
  assertDone(changed);
  if (changed.kind !== 'changed' && changed.kind !== 'unchanged') return undefined;
  const { record } = changed;
  if (record === undefined) throw unavailable('the store does not answer; try again', undefined);
  const found = knownBackfill(record, id);
  return found && backfillJson(record, found);
}

const backfillsOf = (record: JobRecord) =>
  [...(record.backfills ?? []), ...(record.backfill === null ? [] : [record.backfill])]
    .toReversed()
    .map((one) => backfillJson(record, one));

function backfillJson(
  record: JobRecord,
  backfill: Backfill | PastBackfill,
): v.InferOutput<typeof backfillShape> {
  const { id, from, to, cursor, by, askedAt = null } = backfill;
  const endedAt = 'endedAt' in backfill ? backfill.endedAt : null;
  const over = cursor === to ? 'done' : 'ended';
  return {
    id,
    job: record.name,
    from: isoInstant(from + 1),
    to: isoInstant(to),
    state: endedAt === null ? 'running' : over,
    openedUpTo: cursor === from ? null : isoInstant(cursor),
    progress: endedAt === null ? progressOf(record, backfill) : null,
    requestedBy: by,
    requestedAt: iso(askedAt),
    endedAt: iso(endedAt),
  };
}

/** Null where this build can't read the job's schedule. */
function progressOf(record: JobRecord, { from, to, cursor }: Backfill) {
  const within = (span: Span) => {
    const { count: many, atLeast } = backfillPlan(record, span, { listed: 0, counted: COUNTED });
    return { count: many, atLeast };
  };
  try {
    return { opened: within({ from, to: cursor }), total: within({ from, to }) };
  } catch {
    return null;
  }
}

export const backfillEndpoints = [listBackfills, startBackfill, showBackfill, deleteBackfill];
