import * as v from 'valibot';
import { breathe } from '../../core/breathe.ts';
import type { Deps } from '../../core/deps.ts';
import type { Job } from '../../core/job.ts';
import { describe } from '../../core/json-schema.ts';
import { priceOf, type LoadedJob } from '../../core/store.ts';
import { summarise, type JobSummary } from '../../core/summary.ts';
import { isoInstant } from '../../core/time.ts';
import { readJob } from '../find.ts';
import { endpoint, reply, type Asking } from './endpoint.ts';
import { jobName, limit, nameCursor, oneOf, text } from './fields.ts';
import { JOB_STATES, jobDetailShape, jobJson, jobShape, policiesJson } from './job-shape.ts';
import { occurrencesOf } from './occurrences.ts';
import { next } from './shapes.ts';

const PRESET = 100;
const MAX = 500;
/** A filter looks through so many for one page; where each is billed, through fewer. */
const LOOKED_THROUGH = { free: 2000, billed: 500 } as const;
const UPCOMING = 5;
/** A schema that is longer is no help to anybody, and would be most of the answer. */
const SCHEMA_LIMIT = 64 * 1024;

const listJobs = endpoint({
  method: 'GET',
  path: '/jobs',
  id: 'listJobs',
  group: 'Jobs',
  scope: 'jobs',
  summary: 'All jobs, by name',
  description:
    'Those that the caller may see, in the order of their names. With a filter each page looks ' +
    'through a limited number of jobs, so it may have few of them and still not be the last.',
  query: {
    limit: limit(PRESET, MAX),
    cursor: v.exactOptional(nameCursor),
    state: v.exactOptional(oneOf('Only jobs in this state.', JOB_STATES)),
    tag: v.exactOptional(text('Only jobs that have this tag.', 100)),
  },
  answers: {
    200: {
      description: 'A page of jobs.',
      schema: v.strictObject({ jobs: v.array(jobShape), next }),
    },
  },
  problems: [],
  async handle({ query }, asking) {
    const { found, next } = await pageOf(asking, query);
    return reply(200, { jobs: found.map(jobJson), next });
  },
});

interface Asked {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly state?: string | undefined;
  readonly tag?: string | undefined;
}

/** Looks at one job more than it gives, so that it knows whether there are more. */
async function pageOf({ deps, caller }: Asking, asked: Asked) {
  const { storeNow } = await deps.store.time();
  const most = isFiltered(asked) ? LOOKED_THROUGH[priceOf(deps.store)] : asked.limit;
  const found: JobSummary[] = [];
  let seen = 0;
  let last: string | null = null;
  for await (const job of jobsBehind(deps, caller.jobs, asked)) {
    if (found.length === asked.limit || seen === most) return { found, next: last };
    const summary = summarise(job, deps.registry.get(job.name), storeNow);
    if (matches(summary, asked)) found.push(summary);
    seen += 1;
    last = job.name;
  }
  return { found, next: null };
}

const isFiltered = ({ state, tag }: Asked): boolean => state !== undefined || tag !== undefined;

const matches = (job: JobSummary, { state, tag }: Asked): boolean =>
  (state === undefined || job.state === state) && (tag === undefined || job.tags.includes(tag));

/** The jobs behind a name, or those of them that somebody may see. */
async function* jobsBehind(
  { store }: Deps,
  only: readonly string[] | null,
  { cursor: start, limit: size }: Asked,
): AsyncGenerator<LoadedJob> {
  let after = start;
  if (only !== null) {
    for (const name of [...new Set(only)].toSorted()) {
      if (after !== undefined && name <= after) continue;
      const loaded = await store.read(name);
      if (loaded.version !== undefined) yield loaded;
    }
    return;
  }
  for (;;) {
    const page = await store.listJobs({
      limit: size + 1,
      ...(after !== undefined && { after }),
    });
    yield* page;
    after = page.at(-1)?.name;
    if (page.length <= size) return;
    await breathe();
  }
}

const showJob = endpoint({
  method: 'GET',
  path: '/jobs/{name}',
  id: 'getJob',
  group: 'Jobs',
  scope: 'job',
  summary: 'One job, with its policies, its input and what comes next',
  description:
    'What its record says, and what the code says. A job that left the code is still there.',
  params: { name: jobName },
  answers: { 200: { description: 'The job.', schema: jobDetailShape } },
  problems: ['No such job'],
  async handle({ params: { name } }, { deps }) {
    const loaded = await readJob(deps, name);
    const job = deps.registry.get(name);
    const { record, storeNow } = loaded;
    const summary = summarise(loaded, job, storeNow);
    const ahead = { from: storeNow, to: Infinity };
    return reply(200, {
      ...jobJson(summary),
      known: summary.known,
      policies: record === undefined ? null : policiesJson(record),
      isolate: job?.isolate ?? null,
      input: { declared: job?.input !== undefined, schema: schemaOf(job) },
      upcoming: record === undefined ? [] : occurrencesOf(record, ahead, UPCOMING),
      registeredAt: record === undefined ? null : isoInstant(record.registeredAt),
      build: record?.build ?? null,
    });
  },
});

function schemaOf(job: Job | undefined): unknown {
  if (job?.input === undefined) return null;
  const described = describe(job.input, { side: 'input', lenient: true });
  if (described === undefined) return null;
  return JSON.stringify(described).length <= SCHEMA_LIMIT ? described : null;
}

export const jobEndpoints = [listJobs, showJob];
