import * as v from 'valibot';
import type { Job } from '../../core/job.ts';
import type { Run } from '../../core/records.ts';
import { problemsOfInput, runNow, waitForRun } from '../../core/run-now.ts';
import { isFinal } from '../../core/run.ts';
import { nameOf } from '../caller.ts';
import { HttpError, storeTrouble, type FieldProblem } from '../errors.ts';
import { findJob, findRun } from '../find.ts';
import { badRequest } from '../read.ts';
import { refusal, unavailable } from '../refusal.ts';
import { inputToRepeat } from '../repeated.ts';
import { endpoint, reply, type Asking } from './endpoint.ts';
import { idempotencyKey, jobName, overlap, preferWait, runId, traceparent } from './fields.ts';
import { runJson, runShape } from './run-shape.ts';
import { sees } from './scope.ts';
import { says } from './shapes.ts';
import { inLine } from './waiting.ts';

/** A caller that wants to wait longer asks again. */
const WAIT_MAX_MS = 120_000;

const headers = {
  'Idempotency-Key': v.exactOptional(idempotencyKey),
  Prefer: v.exactOptional(preferWait(WAIT_MAX_MS)),
  traceparent: v.exactOptional(traceparent),
};

const REPLAYED = '`true` where the key’s run was there already.';
const answers = {
  200: {
    description: 'The run, which was waited for, and is over.',
    schema: runShape,
    headers: {
      Location: 'The address of the run.',
      'Preference-Applied': 'How long it would have been waited for.',
      'Idempotent-Replayed': REPLAYED,
    },
  },
  202: {
    description: 'The run. It is on record; it has started, or waits for its turn.',
    schema: runShape,
    headers: {
      Location: 'The address of the run.',
      'Preference-Applied': 'How long it was waited for; it is not over yet.',
      'Idempotent-Replayed': REPLAYED,
    },
  },
};

const startRun = endpoint({
  method: 'POST',
  path: '/jobs/{name}/runs',
  id: 'startRun',
  group: 'Runs',
  scope: 'job',
  summary: 'Starts a run',
  description:
    'The run is on record before this is answered. An input is checked by the job’s schema, and ' +
    'everything that is wrong with it is told at once.',
  params: { name: jobName },
  headers,
  body: {
    input: v.exactOptional(says(v.unknown(), 'What the job takes; nothing stands for none.')),
    overlap: v.exactOptional(overlap),
  },
  answers,
  problems: ['No such job', 'Busy', 'Exists', 'Record unusable', 'Key used before'],
  async handle({ params, headers: sent, body }, asking) {
    const job = findJob(asking.deps, params.name);
    const beside = body.overlap === 'allow';
    return await start(asking, { job, input: body.input, beside, rerunOf: null, headers: sent });
  },
  async also(body, { deps, caller, req }): Promise<readonly FieldProblem[]> {
    const name = String(req.params['name']);
    const job = sees(caller, name) ? deps.registry.get(name) : undefined;
    const input: unknown = Reflect.get(Object(body), 'input');
    return job === undefined ? [] : await problemsOfInput(deps, job, input);
  },
});

const rerun = endpoint({
  method: 'POST',
  path: '/runs/{id}/reruns',
  id: 'rerun',
  group: 'Runs',
  scope: 'run',
  summary: 'Starts a run again',
  description: 'A new run of the same job with the input of this one, which it has as its `cause`.',
  params: { id: runId },
  headers,
  body: { overlap: v.exactOptional(overlap) },
  answers,
  problems: [
    'No such job',
    'No such run',
    'Busy',
    'Exists',
    'Never ran',
    'Input unusable',
    'Record unusable',
    'Key used before',
  ],
  async handle({ params, headers: sent, body }, asking) {
    const old = await findRun(asking.deps, params.id);
    if (old.range !== null) {
      throw new HttpError(409, 'Never ran', 'what did not run can not be run again; backfill it');
    }
    const job = findJob(asking.deps, old.job);
    const input = inputToRepeat(asking.deps, job, old);
    const beside = body.overlap === 'allow';
    return await start(asking, { job, input, beside, rerunOf: old.id, headers: sent });
  },
});

interface Wanted {
  readonly job: Job;
  readonly input: unknown;
  readonly beside: boolean;
  readonly rerunOf: string | null;
  readonly headers: {
    readonly 'Idempotency-Key'?: string;
    readonly Prefer?: number | undefined;
    readonly traceparent?: string;
  };
}

/** Starts a run, or finds the one of its key, and waits for it where that is wished. */
async function start(asking: Asking, { job, headers: sent, ...wanted }: Wanted) {
  const { deps, req } = asking;
  if (deps.runner.draining) throw unavailable('the service is shutting down', undefined);
  const requested = await runNow(deps, job, {
    ...wanted,
    key: sent['Idempotency-Key'],
    by: nameOf(req),
    traceparent: sent.traceparent ?? null,
  });
  switch (requested.kind) {
    case 'created':
    case 'replayed':
      return await answerRun(asking, requested.run, {
        waitMs: sent.Prefer,
        replayed: requested.kind === 'replayed',
      });
    case 'bad-input':
      throw badRequest(requested.problems);
    case 'other-request': {
      const detail = 'this Idempotency-Key stands for another request';
      throw new HttpError(422, 'Key used before', detail);
    }
    case 'refused':
      throw refusal(requested);
    case 'unknown':
    case 'unavailable': {
      const trouble = storeTrouble(requested.cause);
      throw unavailable(`${trouble}; try again with the same Idempotency-Key`, requested.cause);
    }
  }
}

/** 202 with the run as it stands; where it is waited for 200 once it is over. */
async function answerRun(
  { deps, caller, gone }: Asking,
  created: Run,
  how: { readonly waitMs: number | undefined; readonly replayed: boolean },
) {
  const { waitMs: withinMs, replayed } = how;
  const waited =
    withinMs === undefined || isFinal(created.state)
      ? created
      : await inLine(caller, () => waitForRun(deps, created.id, { withinMs, signal: gone }));
  const run = waited ?? created;
  const body = runJson(deps, run);
  const more = {
    Location: `/api/v1/runs/${encodeURIComponent(run.id)}`,
    ...(replayed && { 'Idempotent-Replayed': 'true' }),
    ...(withinMs !== undefined && { 'Preference-Applied': `wait=${withinMs / 1000}` }),
  };
  const over = withinMs !== undefined && run.endedAt !== null;
  return over ? reply(200, body, more) : reply(202, body, more);
}

export const startEndpoints = [startRun, rerun];
