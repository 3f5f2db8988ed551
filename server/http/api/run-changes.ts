import { cancelRun, freeRun } from '../../core/run-now.ts';
import { nameOf } from '../caller.ts';
import { findRun } from '../find.ts';
import { assertDone } from '../refusal.ts';
import { endpoint, reply } from './endpoint.ts';
import { runId } from './fields.ts';
import { runJson, runShape } from './run-shape.ts';

const about = { method: 'POST', group: 'Runs', scope: 'run' } as const;

const cancel = endpoint({
  ...about,
  path: '/runs/{id}/cancel',
  id: 'cancelRun',
  summary: 'Cancels a run',
  description:
    'A run that waits ends at once. Of one at work the signal is aborted; it ends when its ' +
    'handler does, and keeps its slot until then.',
  params: { id: runId },
  answers: { 202: { description: 'The run as it is then.', schema: runShape } },
  problems: ['No such run', 'No such job', 'Not running', 'Record unusable'],
  async handle({ params: { id } }, { deps, req }) {
    await findRun(deps, id);
    assertDone(await cancelRun(deps, id, nameOf(req)));
    return reply(202, runJson(deps, await findRun(deps, id)));
  },
});

const free = endpoint({
  ...about,
  path: '/runs/{id}/free',
  id: 'freeRun',
  summary: 'Takes the slot from a run that does not stop',
  description:
    'Its handler may go on all the same, so the next run may overlap it: to be used by somebody ' +
    'who knows that it can do no harm.',
  params: { id: runId },
  answers: { 200: { description: 'The run, which is cancelled.', schema: runShape } },
  problems: ['No such run', 'No such job', 'Not running', 'Record unusable'],
  async handle({ params: { id } }, { deps, req }) {
    await findRun(deps, id);
    assertDone(await freeRun(deps, id, nameOf(req)));
    return reply(200, runJson(deps, await findRun(deps, id)));
  },
});

export const runChangeEndpoints = [cancel, free];
