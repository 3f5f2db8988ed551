import { Router, type Request, type Response } from 'express';
import type { Deps } from '../core/deps.ts';
import { isJobName, jobOfRun } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import {
  cancelRun,
  pauseJob,
  resumeJob,
  runNow,
  waitForRun,
  type Changed,
} from '../core/run-now.ts';
import { isRunState, RUN_STATES, type RunState } from '../core/run.ts';
import type { Refusal } from '../core/event.ts';
import type { Run } from '../core/records.ts';
import { summarise, type JobSummary } from '../core/summary.ts';
import { HttpError } from './errors.ts';
import { jobJson, runJson } from './json.ts';
import {
  badRequest,
  idempotencyKey,
  instant,
  instantOrNull,
  preferWaitMs,
  readBody,
  readQuery,
  wholeNumber,
} from './read.ts';
import { readLogView } from './log-view.ts';
import { isoInstant } from '../core/time.ts';

const JOBS_LIMIT = 20_000;
const RUNS_PRESET = 50;
const RUNS_MAX = 500;
/** A caller that wants to wait longer asks again. */
const WAIT_MAX_MS = 120_000;
const NOTE_LIMIT = 500;

/** The JSON surface, below `/api/v1`. */
export function apiRoutes(deps: Deps): Router {
  const router = Router();

  router.get('/jobs', async (req, res) => {
    readQuery(req, []);
    res.json({ jobs: (await summaries(deps)).map(jobJson) });
  });
  router.get('/jobs/:name', async (req, res) => {
    res.json(jobJson(await summaryOf(deps, req.params.name)));
  });
  router.post('/jobs/:name/runs', (req, res) => startRun(deps, req, res));
  router.put('/jobs/:name/pause', async (req, res) => {
    const { name } = findJob(deps, req.params.name);
    const body = readBody(req, ['note', 'until']);
    const until = instantOrNull(body['until'], '/until');
    const { storeNow } = await deps.store.time();
    if (until !== null && until <= storeNow) {
      throw badRequest([{ path: '/until', message: 'is in the past' }]);
    }
    const changed = await pauseJob(deps, name, { by: null, note: noteOf(body['note']), until });
    answerChange(changed);
    res.json(jobJson(await summaryOf(deps, name)));
  });
  router.delete('/jobs/:name/pause', async (req, res) => {
    const { name } = findJob(deps, req.params.name);
    answerChange(await resumeJob(deps, name, null));
    res.json(jobJson(await summaryOf(deps, name)));
  });

  router.get('/runs', (req, res) => listRuns(deps, req, res));
  router.get('/runs/:id', async (req, res) => {
    res.json(runJson(await findRun(deps, req.params.id)));
  });
  router.get('/runs/:id/log', async (req, res) => {
    const run = await findRun(deps, req.params.id);
    const { entries, progress } = await readLogView(deps.store, run.id, LOG_LINES);
    const lines = entries.map((entry) =>
      entry.kind === 'dropped'
        ? { dropped: entry.count }
        : { ...entry.line, at: isoInstant(entry.line.at) },
    );
    res.json({ lines, progress });
  });
  router.post('/runs/:id/cancel', async (req, res) => {
    const run = await findRun(deps, req.params.id);
    answerChange(await cancelRun(deps, run.id, null));
    res.status(202).json(runJson(await findRun(deps, run.id)));
  });
  return router;
}

const LOG_LINES = 20_000;

async function startRun(deps: Deps, req: Request<{ name: string }>, res: Response): Promise<void> {
  const job = findJob(deps, req.params.name);
  const body = readBody(req, ['input', 'overlap']);
  if (body['overlap'] !== undefined && body['overlap'] !== 'allow') {
    throw badRequest([{ path: '/overlap', message: 'only "allow" may be asked for' }]);
  }
  if (deps.runner.draining) throw unavailable('the service is shutting down', undefined);
  const requested = await runNow(deps, job, {
    input: body['input'],
    key: idempotencyKey(req),
    beside: body['overlap'] === 'allow',
    rerunOf: null,
    by: null,
    traceparent: req.get('traceparent') ?? null,
  });
  switch (requested.kind) {
    case 'created':
    case 'replayed':
      if (requested.kind === 'replayed') res.set('Idempotent-Replayed', 'true');
      return await answerRun(deps, req, res, requested.run);
    case 'bad-input':
      throw badRequest(requested.problems);
    case 'other-request':
      throw new HttpError(
        422,
        'Key used before',
        'this Idempotency-Key stands for another request',
      );
    case 'refused':
      throw refusal(requested);
    case 'unknown':
    case 'unavailable':
      throw unavailable(
        'the store does not answer; try again with the same Idempotency-Key',
        requested.cause,
      );
  }
}

/** 202 with the run as it stands; with `Prefer: wait=N` once it is over, or after N seconds. */
async function answerRun(deps: Deps, req: Request, res: Response, created: Run): Promise<void> {
  const waitMs = preferWaitMs(req, WAIT_MAX_MS);
  const run = waitMs === undefined ? created : await waitForRun(deps, created.id, waitMs);
  if (waitMs !== undefined) res.set('Preference-Applied', `wait=${waitMs / 1000}`);
  const over = run !== undefined && run.endedAt !== null;
  res.location(`/api/v1/runs/${encodeURIComponent(created.id)}`);
  res.status(over && waitMs !== undefined ? 200 : 202).json(runJson(run ?? created));
}

async function listRuns(deps: Deps, req: Request, res: Response): Promise<void> {
  const query = readQuery(req, ['job', 'state', 'trigger', 'limit', 'cursor', 'since', 'until']);
  const limit = wholeNumber(query, 'limit', { preset: RUNS_PRESET, min: 1, max: RUNS_MAX });
  const [job, state, trigger, cursor] = ['job', 'state', 'trigger', 'cursor'].map((name) =>
    query.get(name),
  );
  const [since, until] = [query.get('since'), query.get('until')];
  const known = trigger === 'schedule' || trigger === 'manual' || trigger === 'backfill';
  if (trigger !== undefined && !known) {
    throw badRequest([{ path: '?trigger', message: 'expected schedule, manual or backfill' }]);
  }
  const page = await deps.store.listRuns({
    limit,
    ...(job !== undefined && { job }),
    ...(state !== undefined && { states: readStates(state) }),
    ...(trigger !== undefined && { trigger }),
    ...(cursor !== undefined && { cursor }),
    ...(since !== undefined && { since: instant(since, '?since') }),
    ...(until !== undefined && { until: instant(until, '?until') }),
  });
  // Asked only where it makes a difference: a store may bill for it.
  if (job !== undefined && page.runs.length === 0) await summaryOf(deps, job);
  res.json({ runs: page.runs.map(runJson), next: page.cursor ?? null });
}

/** Such as `failed,lost`. */
function readStates(text: string): RunState[] {
  const states = text.split(',');
  const wrong = states.filter((state) => !isRunState(state));
  if (wrong.length === 0) return states.filter(isRunState);
  const which = wrong.slice(0, 5).map((state) => `"${state.slice(0, 40)}"`);
  const message = `${which.join(', ')} is no state; expected some of ${RUN_STATES.join(', ')}`;
  throw badRequest([{ path: '?state', message }]);
}

/** All jobs of the store, as summaries, in the order of their names. */
export async function summaries(deps: Deps): Promise<JobSummary[]> {
  const loaded = await deps.store.listJobs({ limit: JOBS_LIMIT });
  const { storeNow } = await deps.store.time();
  return loaded.map((job) => summarise(job, deps.registry.get(job.name), storeNow));
}

/** A job of the store; 404 where there is none. */
export async function summaryOf(deps: Deps, name: string): Promise<JobSummary> {
  checkName(name);
  const loaded = await deps.store.read(name);
  if (loaded.version === undefined) throw noSuchJob(name);
  return summarise(loaded, deps.registry.get(name), loaded.storeNow);
}

/** A job of this build: only such a one can be run. */
export function findJob(deps: Deps, name: string): Job {
  checkName(name);
  const job = deps.registry.get(name);
  if (job === undefined) throw noSuchJob(name);
  return job;
}

function checkName(name: string): void {
  if (isJobName(name)) return;
  throw badRequest([
    { path: 'name', message: 'not a job name: lower-case letters, digits, hyphens' },
  ]);
}

const noSuchJob = (name: string): HttpError =>
  new HttpError(404, 'No such job', `there is no job "${name}"`);

export async function findRun(deps: Deps, id: string): Promise<Run> {
  if (jobOfRun(id) === undefined) throw badRequest([{ path: 'id', message: 'not a run id' }]);
  const run = await deps.store.getRun(id);
  if (run === undefined) throw new HttpError(404, 'No such run', `there is no run "${id}"`);
  return run;
}

function noteOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value.length <= NOTE_LIMIT) return value;
  throw badRequest([
    { path: '/note', message: `expected text of at most ${NOTE_LIMIT} characters` },
  ]);
}

function answerChange(changed: Changed): void {
  if (changed.kind === 'refused') throw refusal(changed);
  if (changed.kind === 'unknown' || changed.kind === 'unavailable') {
    throw unavailable('the store does not answer; try again', changed.cause);
  }
}

const unavailable = (detail: string, cause: unknown): HttpError =>
  new HttpError(503, 'Unavailable', detail, { headers: { 'Retry-After': '5' }, cause });

/** Why a job can't do now what was asked, in words. */
export function refusal({ why, runId }: Refusal): HttpError {
  const run = runId === null ? 'another run' : `run "${runId}"`;
  switch (why) {
    case 'busy':
      return new HttpError(409, 'Busy', `${run} is unfinished, and the job skips what overlaps`);
    case 'queue-full':
      return new HttpError(429, 'Queue full', '32 runs are waiting already', {
        headers: { 'Retry-After': '60' },
      });
    case 'not-unfinished':
    case 'not-held':
      return new HttpError(409, 'Not running', 'the run is over already');
    case 'too-many-pauses':
      return new HttpError(
        409,
        'Too many pauses',
        'the job was paused too often while it was busy',
      );
    case 'backfill-running':
      return new HttpError(409, 'Busy', 'a backfill of this job is under way');
    case 'nothing-to-backfill':
      return new HttpError(409, 'Nothing to do', 'no past occurrence lies in this range');
    case 'unsteady':
      return unavailable('the clock can not be trusted just now: nothing new is started', why);
    case 'exists':
      return new HttpError(409, 'Exists', 'a run of this id is on record already');
    case 'retired':
    case 'no-such-job':
    case 'other-namespace':
      return new HttpError(404, 'No such job', 'the job is not in the code of this service');
  }
}
