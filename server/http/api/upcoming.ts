import * as v from 'valibot';
import { breathe } from '../../core/breathe.ts';
import type { JobRecord, Span } from '../../core/records.ts';
import { isoInstant, type Instant } from '../../core/time.ts';
import { readJob } from '../find.ts';
import { jobListOf } from '../pages/job-list.ts';
import { badRequest } from '../read.ts';
import { endpoint, reply, type Asking } from './endpoint.ts';
import { instant, jobName, limit } from './fields.ts';
import { occurrenceShape } from './job-shape.ts';
import { nextIn, occurrence } from './occurrences.ts';
import { assertSees, sees } from './scope.ts';
import { at, says } from './shapes.ts';

const PRESET = 50;
const MAX = 500;
const DAY_MS = 86_400_000;
const PRESET_SPAN_MS = 7 * DAY_MS;
/** A schedule that comes seldom is looked for no farther ahead. */
const LAST_SPAN_MS = 366 * DAY_MS;
/** So many jobs are looked at in one go; one takes some 20 µs. */
const IN_ONE_GO = 250;

const listUpcoming = endpoint({
  method: 'GET',
  path: '/upcoming',
  id: 'listUpcoming',
  group: 'History',
  scope: 'jobs',
  summary: 'What comes next, of all jobs',
  description:
    'Occurrences from `from` to `until`, both included, soonest first. Those of a paused job are ' +
    'among them and say so. The past is on record as runs: `from` is never before now.',
  query: {
    job: v.exactOptional(jobName),
    from: v.exactOptional(instant('The first instant; now, if it is not given.')),
    until: v.exactOptional(
      instant('The last instant, at most 366 days from now; 7 days after `from` if not given.'),
    ),
    limit: limit(PRESET, MAX),
  },
  answers: {
    200: {
      description: 'Occurrences, soonest first.',
      schema: v.strictObject({
        from: at,
        until: at,
        upcoming: v.array(occurrenceShape),
        more: says(v.boolean(), 'Whether more of them lie in this time than are told of.'),
        incomplete: says(v.boolean(), 'Whether the store has more jobs than were looked at.'),
      }),
    },
  },
  problems: ['No such job'],
  async handle({ query }, asking) {
    const { now, records, incomplete } = await recordsOf(asking, query.job);
    const span = spanOf(query, now);
    const { found, more } = await soonest(records, span, query.limit);
    const [from, until] = [isoInstant(span.from + 1), isoInstant(span.to)];
    return reply(200, { from, until, upcoming: found, more, incomplete });
  },
});

/** Half-open, as the core has it; both ends that were asked for belong to it. */
function spanOf(
  asked: { readonly from?: Instant | undefined; readonly until?: Instant | undefined },
  now: Instant,
): Span {
  const from = Math.max(asked.from ?? now, now);
  const last = now + LAST_SPAN_MS;
  const to = asked.until ?? Math.min(from + PRESET_SPAN_MS, last);
  const problems = [
    ...(from > last ? [{ path: '?from', message: 'lies more than 366 days ahead' }] : []),
    ...(to > last ? [{ path: '?until', message: 'lies more than 366 days ahead' }] : []),
    ...(to < from
      ? [{ path: '?until', message: 'lies before the beginning, or in the past' }]
      : []),
  ];
  if (problems.length > 0) throw badRequest(problems);
  return { from: from - 1, to };
}

/** The records of the jobs that are asked for, of those that the caller may see. */
async function recordsOf({ deps, caller }: Asking, job: string | undefined) {
  if (job !== undefined) {
    assertSees(caller, job);
    const { storeNow: now, record } = await readJob(deps, job);
    return { now, records: record === undefined ? [] : [record], incomplete: false };
  }
  const { loaded, now, more: incomplete } = await jobListOf(deps).read(deps.store);
  const records = loaded.flatMap(({ record }) =>
    record !== undefined && sees(caller, record.name) ? [record] : [],
  );
  return { now, records, incomplete };
}

interface Ahead {
  readonly record: JobRecord;
  at: Instant;
}

/**
 * The first occurrences of several jobs. Only the jobs whose own first come soonest can have any of
 * them, so no more of their schedules are followed, however many jobs there are.
 */
async function soonest(records: readonly JobRecord[], span: Span, most: number) {
  const firsts: Ahead[] = [];
  for (const [i, record] of records.entries()) {
    if (i % IN_ONE_GO === IN_ONE_GO - 1) await breathe();
    const first = nextIn(record, span);
    if (first !== undefined) firsts.push({ record, at: first });
  }
  let ahead = firsts.toSorted(sooner).slice(0, most + 1);
  const found: ReturnType<typeof occurrence>[] = [];
  for (;;) {
    const [first] = ahead;
    if (first === undefined || found.length === most) return { found, more: first !== undefined };
    found.push(occurrence(first.record, first.at));
    const next = nextIn(first.record, { from: first.at, to: span.to });
    const others = ahead.slice(1);
    ahead = next === undefined ? others : placed(others, { record: first.record, at: next });
  }
}

const sooner = (a: Ahead, b: Ahead): number =>
  a.at - b.at || (a.record.name < b.record.name ? -1 : 1);

/** Puts one into its place among those that are in order. */
function placed(ordered: readonly Ahead[], one: Ahead): Ahead[] {
  const before = ordered.findIndex((other) => sooner(one, other) < 0);
  return ordered.toSpliced(before === -1 ? ordered.length : before, 0, one);
}

export const upcomingEndpoints = [listUpcoming];
