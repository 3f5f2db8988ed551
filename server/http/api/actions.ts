import * as v from 'valibot';
import { isoInstant } from '../../core/time.ts';
import { summaryOf } from '../find.ts';
import { endpoint, reply } from './endpoint.ts';
import { cursor, jobName, limit } from './fields.ts';
import { jobAsked } from './scope.ts';
import { at, next, says, textOrNull } from './shapes.ts';

const PRESET = 50;
const MAX = 500;

export const actionShape = v.strictObject({
  id: v.string(),
  at,
  by: says(textOrNull, 'Null for the service itself, and for whoever sat at the machine.'),
  action: says(v.string(), 'In a word: `pause`, `cancel`, `run-now`, `define`, `lost`.'),
  job: textOrNull,
  runId: textOrNull,
  detail: v.string(),
  before: says(textOrNull, 'What stood before, in a few words.'),
  after: says(textOrNull, 'What stands since.'),
});

const listActions = endpoint({
  method: 'GET',
  path: '/actions',
  id: 'listActions',
  group: 'History',
  scope: 'jobs',
  summary: 'Who did what',
  description:
    'What people and the service did, newest first. Who is limited to some jobs has to say which.',
  query: {
    job: v.exactOptional(jobName),
    limit: limit(PRESET, MAX),
    cursor: v.exactOptional(cursor),
  },
  answers: {
    200: {
      description: 'A page of actions, newest first.',
      schema: v.strictObject({ actions: v.array(actionShape), next }),
    },
  },
  problems: ['No such job'],
  async handle({ query }, { deps, caller }) {
    const { job: asked, ...more } = query;
    const job = jobAsked(caller, asked);
    const found = await deps.store.listActions({ ...more, ...(job !== undefined && { job }) });
    if (job !== undefined && found.actions.length === 0) await summaryOf(deps, job);
    const actions = found.actions.map((action) => ({
      id: action.id,
      at: isoInstant(action.at),
      by: action.by,
      action: action.action,
      job: action.job,
      runId: action.runId,
      detail: action.detail,
      before: action.before ?? null,
      after: action.after ?? null,
    }));
    return reply(200, { actions, next: found.cursor ?? null });
  },
});

export const actionEndpoints = [listActions];
