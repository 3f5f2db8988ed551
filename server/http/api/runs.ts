import * as v from 'valibot';
import { TRIGGERS, type RunState } from '../../core/run.ts';
import type { RunQuery } from '../../core/store.ts';
import { findRun, summaryOf } from '../find.ts';
import { endpoint, reply, type Asking } from './endpoint.ts';
import { cursor, instant, jobName, limit, oneOf, runId, runStates } from './fields.ts';
import { runJson, runShape, runSummaryJson, runSummaryShape } from './run-shape.ts';
import { jobAsked } from './scope.ts';
import { next } from './shapes.ts';

const PRESET = 50;
const MAX = 500;

const filters = {
  state: v.exactOptional(runStates),
  trigger: v.exactOptional(oneOf('Only runs that exist for this reason.', TRIGGERS)),
  since: v.exactOptional(instant('Only what came after this instant.')),
  until: v.exactOptional(instant('Only what came up to this instant.')),
  limit: limit(PRESET, MAX),
  cursor: v.exactOptional(cursor),
};

const page = {
  description: 'A page of runs, newest first.',
  schema: v.strictObject({ runs: v.array(runSummaryShape), next }),
};

const NEWEST_FIRST =
  'Newest first: by the occurrence, or by when it was asked for. What is added meanwhile moves ' +
  'no run from one page to another. Stretches of occurrences that did not run are among them, ' +
  'with their `range`.';

const listRuns = endpoint({
  method: 'GET',
  path: '/runs',
  id: 'listRuns',
  group: 'Runs',
  scope: 'jobs',
  summary: 'Runs of all jobs',
  description: `${NEWEST_FIRST} Who is limited to some jobs has to say which.`,
  query: { job: v.exactOptional(jobName), ...filters },
  answers: { 200: page },
  problems: ['No such job'],
  async handle({ query }, asking) {
    const { job, ...more } = query;
    const asked = jobAsked(asking.caller, job);
    return await pageOf(asking, asked === undefined ? more : { ...more, job: asked });
  },
});

const listJobRuns = endpoint({
  method: 'GET',
  path: '/jobs/{name}/runs',
  id: 'listJobRuns',
  group: 'Runs',
  scope: 'job',
  summary: 'Runs of one job',
  description: NEWEST_FIRST,
  params: { name: jobName },
  query: filters,
  answers: { 200: page },
  problems: ['No such job'],
  handle: async ({ params: { name }, query }, asking) =>
    await pageOf(asking, { ...query, job: name }),
});

async function pageOf(
  { deps }: Asking,
  { state: states, ...query }: Omit<RunQuery, 'states'> & { readonly state?: readonly RunState[] },
) {
  const found = await deps.store.listRuns({ ...query, ...(states !== undefined && { states }) });
  const { job } = query;
  // Asked only where it makes a difference: a store may bill for it.
  if (job !== undefined && found.runs.length === 0) await summaryOf(deps, job);
  return reply(200, { runs: found.runs.map(runSummaryJson), next: found.cursor ?? null });
}

const showRun = endpoint({
  method: 'GET',
  path: '/runs/{id}',
  id: 'getRun',
  group: 'Runs',
  scope: 'run',
  summary: 'One run, whole',
  description: 'With its attempts, its input and its output.',
  params: { id: runId },
  answers: { 200: { description: 'The run.', schema: runShape } },
  problems: ['No such run'],
  handle: async ({ params: { id } }, { deps }) =>
    reply(200, runJson(deps, await findRun(deps, id))),
});

export const runEndpoints = [listRuns, listJobRuns, showRun];
