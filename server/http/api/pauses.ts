import * as v from 'valibot';
import { pauseJob, resumeJob } from '../../core/run-now.ts';
import { nameOf } from '../caller.ts';
import { findJob, summaryOf } from '../find.ts';
import { badRequest } from '../read.ts';
import { assertDone } from '../refusal.ts';
import { endpoint, reply } from './endpoint.ts';
import { instant, jobName, note } from './fields.ts';
import { jobJson, jobShape, pauseJson, pauseShape } from './job-shape.ts';

const about = { path: '/jobs/{name}/pause', group: 'Jobs', scope: 'job' } as const;
const params = { name: jobName };
const job = { description: 'The job as it is then.', schema: jobShape };

const showPause = endpoint({
  ...about,
  method: 'GET',
  id: 'getPause',
  summary: 'Whether a job is paused',
  description: 'Since when, by whom, and until when.',
  params,
  answers: {
    200: {
      description: 'Its pause; null where it is not paused.',
      schema: v.strictObject({ job: v.string(), paused: v.nullable(pauseShape) }),
    },
  },
  problems: ['No such job'],
  async handle({ params: { name } }, { deps }) {
    const { paused } = await summaryOf(deps, name);
    return reply(200, { job: name, paused: pauseJson(paused) });
  },
});

const putPause = endpoint({
  ...about,
  method: 'PUT',
  id: 'pauseJob',
  summary: 'Pauses a job',
  description:
    'Nothing is started by its schedule any more; what falls due is skipped, and on record as ' +
    'that. Runs that are under way go on. A paused job gets another note and another end.',
  params,
  body: {
    note: v.exactOptional(v.nullable(note('Why, for whoever finds it paused.'))),
    until: v.exactOptional(
      v.nullable(instant('When it ends by itself; null or nothing for not before a resume.')),
    ),
  },
  answers: { 200: job },
  problems: ['No such job', 'Too many pauses', 'Record unusable'],
  async handle({ params: { name }, body }, { deps, req }) {
    findJob(deps, name);
    const { note: words = null, until = null } = body;
    const { storeNow } = await deps.store.time();
    if (until !== null && until <= storeNow) {
      throw badRequest([{ path: '/until', message: 'is in the past' }]);
    }
    assertDone(await pauseJob(deps, name, { by: nameOf(req), note: words, until }));
    return reply(200, jobJson(await summaryOf(deps, name)));
  },
});

const deletePause = endpoint({
  ...about,
  method: 'DELETE',
  id: 'resumeJob',
  summary: 'Resumes a job',
  description: 'Its next occurrence runs again. A job that is not paused stays as it is.',
  params,
  answers: { 200: job },
  problems: ['No such job', 'Record unusable'],
  async handle({ params: { name } }, { deps, req }) {
    findJob(deps, name);
    assertDone(await resumeJob(deps, name, nameOf(req)));
    return reply(200, jobJson(await summaryOf(deps, name)));
  },
});

export const pauseEndpoints = [showPause, putPause, deletePause];
