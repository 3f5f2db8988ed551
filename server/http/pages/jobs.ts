import { Router, type Response } from 'express';
import { html, type Printable } from '../../../views/html.ts';
import { jobRow, rowBytes } from '../../../views/jobs.ts';
import { partial } from '../../../views/layout.ts';
import {
  isIn,
  isJobGroup,
  JOB_GROUPS,
  problemsFirst,
  type ListedJob,
} from '../../../views/listed-job.ts';
import { overview, type JobsAsked, type Overview } from '../../../views/overview.ts';
import { nameOfRun } from '../../../views/packed.ts';
import { jobUrl, runUrl } from '../../../views/urls.ts';
import type { Deps } from '../../core/deps.ts';
import { pauseJob, resumeJob, runNow } from '../../core/run-now.ts';
import { failuresSince } from '../../core/stats.ts';
import { nameOf } from '../caller.ts';
import { findJob, summaryOf } from '../find.ts';
import { answerClick, assertChanged, assertOpen, startedRun, startedWords } from './clicks.ts';
import { HttpError } from '../errors.ts';
import { listedJob, type JobList, type JobsSeen } from './job-list.ts';
import { saysAll } from './job-text.ts';
import { readQuery, wholeNumber } from '../read.ts';
import { showAt, type Asking } from './show.ts';

/** So many rows are one page, or fewer where they are long: news of one job sends them all. */
const ROWS = 50;
const ROW_BYTES = 132_000;
const MOST_PAGES = 10_000;
const TEXT_LIMIT = 100;
/** No tag is longer. */
const TAG_LIMIT = 40;
/** More are no help in choosing one. */
const TAGS_OFFERED = 100;
const DAY_MS = 86_400_000;

/**
 * All jobs, and what is done from their list. A poll asks the store once, for what changed since
 * the last; only the first look, and one every ten minutes, reads all jobs, page by page.
 */
export function jobsPage(deps: Deps, jobList: JobList): Router {
  const router = Router();

  showAt(router, '/', deps, async ({ store }, req) => {
    const { asked, problem } = readAsked(req);
    const seen = await jobList.read(store);
    const body = overview({ ...pick(seen, asked), problem });
    return { title: 'Jobs', section: 'jobs', now: seen.now, live: true, body };
  });
  router.post('/jobs/:name/row/runs', (req, res) => startRun(deps, req, res));
  router.post('/jobs/:name/row/pause', (req, res) => pause(deps, req, res));
  router.post('/jobs/:name/row/resume', (req, res) => resume(deps, req, res));
  router.get('/jobs/:name/last/:run', (req, res) => findLast(deps, req, res));
  return router;
}

/** What is asked for; what can't be understood is told, and left out. */
function readAsked(req: Asking): { readonly asked: JobsAsked; readonly problem: string | null } {
  const query = readQuery(req, ['text', 'tag', 'state', 'page']);
  const text = query.get('text')?.trim().slice(0, TEXT_LIMIT) ?? '';
  const state = query.get('state') ?? null;
  const page = wholeNumber(query, 'page', { preset: 1, min: 1, max: MOST_PAGES });
  const tag = query.get('tag')?.slice(0, TAG_LIMIT + 1) ?? null;
  const rest = { text: text === '' ? null : text, tag, page };
  if (state === null || isJobGroup(state)) return { asked: { ...rest, state }, problem: null };
  const problem = `There is no state “${state.slice(0, 40)}”; known are ${JOB_GROUPS.join(', ')}.`;
  return { asked: { ...rest, state: null }, problem };
}

/** The page of jobs that was asked for, and what there is to say of them all. */
function pick(
  { jobs, failures, now, more }: JobsSeen,
  asked: JobsAsked,
): Omit<Overview, 'problem'> {
  const found = jobs.filter((job) => isAskedFor(job, asked));
  const sorted = problemsFirst(found);
  const starts = pageStarts(sorted);
  const pages = starts.length;
  const page = Math.min(asked.page, pages);
  return {
    now,
    asked: { ...asked, page },
    jobs: sorted.slice(starts[page - 1], starts[page]),
    pages,
    found: found.length,
    all: jobs.length,
    more,
    groups: JOB_GROUPS.map((group) => [group, jobs.filter((job) => isIn(group, job)).length]),
    tags: tagsOf(jobs),
    wrong: more ? null : failuresSince(failures, now - DAY_MS),
  };
}

/** Where each page begins; there is at least one. */
function pageStarts(jobs: readonly ListedJob[]): number[] {
  const starts = [0];
  let bytes = 0;
  for (const [i, job] of jobs.entries()) {
    const row = rowBytes(job);
    const isFull = i - (starts.at(-1) ?? 0) >= ROWS || bytes + row > ROW_BYTES;
    if (isFull) starts.push(i);
    bytes = isFull ? row : bytes + row;
  }
  return starts;
}

function isAskedFor(job: ListedJob, { text, tag, state }: JobsAsked): boolean {
  if (state !== null && !isIn(state, job)) return false;
  if (tag !== null && !job.tags.includes(tag)) return false;
  return text === null || saysAll(job, text);
}

/** The tags that most jobs have, in the order of the alphabet. */
function tagsOf(jobs: readonly ListedJob[]): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { tags } of jobs) {
    for (const tag of new Set(tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, TAGS_OFFERED)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function startRun(deps: Deps, req: Asking, res: Response): Promise<void> {
  const job = findJob(deps, req.params['name'] ?? '');
  assertOpen(deps.runner);
  const requested = await runNow(deps, job, {
    input: undefined,
    key: undefined,
    beside: false,
    rerunOf: null,
    by: nameOf(req),
    traceparent: req.get('traceparent') ?? null,
  });
  const run = startedRun(requested, job.name);
  await answerRow(deps, req, res.status(201), {
    name: job.name,
    goTo: runUrl(run.id),
    said: startedWords(requested, run),
  });
}

/**
 * A pause from the row lasts until somebody resumes: a note and an end are given on the job's page.
 * One that somebody else began meanwhile stays as it is.
 */
async function pause(deps: Deps, req: Asking, res: Response): Promise<void> {
  const { name } = findJob(deps, req.params['name'] ?? '');
  const { paused } = await summaryOf(deps, name);
  if (paused === null) {
    assertChanged(await pauseJob(deps, name, { by: nameOf(req), note: null, until: null }));
  }
  const page = html`<a href="${jobUrl(name)}">on its page</a>`;
  const said =
    paused === null
      ? html`${name} is paused until it is resumed. Say why, or until when, ${page}.`
      : html`${name} was paused already. Change why, or until when, ${page}.`;
  await answerRow(deps, req, res, { name, goTo: jobUrl(name), said });
}

async function resume(deps: Deps, req: Asking, res: Response): Promise<void> {
  const { name } = findJob(deps, req.params['name'] ?? '');
  assertChanged(await resumeJob(deps, name, nameOf(req)));
  const said = html`${name} is resumed.`;
  await answerRow(deps, req, res, { name, goTo: jobUrl(name), said });
}

/** Answers with a word on what was done, and with the job's row as it is now. */
async function answerRow(
  deps: Deps,
  req: Asking,
  res: Response,
  { name, goTo, said }: { readonly name: string; readonly goTo: string; readonly said: Printable },
): Promise<void> {
  const loaded = await deps.store.read(name);
  const row = jobRow(listedJob(loaded, deps.registry.get(name), loaded.storeNow), loaded.storeNow);
  answerClick(req, res, { goTo, said, parts: [partial(`#job-${name}`, 'outerMorph', row)] });
}

/** Leads to one of a job's last runs, by the short name that the list has for it. */
async function findLast(deps: Deps, req: Asking, res: Response): Promise<void> {
  const { recent, name } = await summaryOf(deps, req.params['name'] ?? '');
  const run = recent.find(({ id }) => nameOfRun(id) === req.params['run']);
  if (run !== undefined) return res.redirect(302, runUrl(run.id));
  throw new HttpError(404, 'No such run', `it is not among the last runs of "${name}" any more`);
}
