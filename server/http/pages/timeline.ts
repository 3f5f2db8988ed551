import { Router } from 'express';
import { REACHES } from '../../../views/axis.ts';
import { timelineBody, type TimelineAsked } from '../../../views/timeline.ts';
import type { Deps } from '../../core/deps.ts';
import type { Run } from '../../core/records.ts';
import { interestOf } from '../../core/timeline.ts';
import type { JobList } from './job-list.ts';
import { saysAll } from './job-text.ts';
import { PastProblems } from './past-problems.ts';
import { badRequest, readQuery, wholeNumber } from '../read.ts';
import { showAt, type Asking } from './show.ts';
import { Lanes, listed, type Listed } from './timeline-lanes.ts';

/** So many lanes on one page stay within 150 KB, however much there is to draw in them. */
const LANES_SHOWN = 25;
/** What is asked for stands in every link. */
const TEXT_LIMIT = 100;
/** More are no help in choosing one. */
const TAGS_OFFERED = 100;

/**
 * What all jobs did and will do around now. One read, three at times, however many jobs and runs
 * there are: the jobs that changed, and the newest runs in the window that did not succeed, of
 * which each job's record may hold no trace any more. Where each record is billed, the jobs alone.
 */
export function timelinePage(deps: Deps, jobList: JobList): Router {
  const router = Router();
  const problems = new PastProblems(deps);
  const lanes = new Lanes();

  showAt(router, '/timeline', deps, async ({ store }, req) => {
    const asked = readAsked(req);
    const seen = await jobList.read(store);
    const { now } = seen;
    const axis = lanes.axisAt(now, asked.hours);
    const window = { from: axis.from, now, to: axis.to };
    const { runs, history } = await problems.read(store, seen, axis);
    const runsOf = ({ job }: Listed): readonly Run[] => runs.get(job.name) ?? NONE;

    const all = listed(seen);
    const matching = all.filter((one) => matches(one, asked));
    const by = Map.groupBy(matching, (one) => interestOf(one, runsOf(one), window));
    // Those with nothing to see are left out.
    const bad = by.get('problem') ?? [];
    const drawn = [...bad, ...(by.get('some') ?? [])];
    const pages = Math.max(1, Math.ceil(drawn.length / LANES_SHOWN));
    const page = Math.min(asked.page, pages);
    const shown = drawn.slice((page - 1) * LANES_SHOWN, page * LANES_SHOWN);
    const body = timelineBody({
      now,
      axis,
      asked: { ...asked, page },
      tags: [...new Set(seen.jobs.flatMap(({ tags }) => tags))].toSorted().slice(0, TAGS_OFFERED),
      lanes: shown.map((one) => lanes.laneOf(one, runsOf(one), { axis, now })),
      pages,
      jobs: {
        all: all.length,
        matching: matching.length,
        drawn: drawn.length,
        problems: bad.length,
        more: seen.more,
      },
      history,
    });
    return { title: 'Timeline', section: 'timeline', now, live: true, body };
  });
  return router;
}

const NONE: readonly Run[] = [];

function readAsked(req: Asking): TimelineAsked {
  const query = readQuery(req, ['text', 'tag', 'hours', 'page']);
  const typed = query.get('hours') ?? `${REACHES[0]}`;
  const hours = REACHES.find((reach) => `${reach}` === typed);
  if (hours === undefined) {
    const all = REACHES.toSorted((a, b) => a - b).join(', ');
    throw badRequest([{ path: '?hours', message: `expected one of ${all}` }]);
  }
  return {
    text: (query.get('text') ?? '').slice(0, TEXT_LIMIT),
    tag: (query.get('tag') ?? '').slice(0, TEXT_LIMIT),
    hours,
    page: wholeNumber(query, 'page', { preset: 1, min: 1, max: 1000 }),
  };
}

const matches = ({ job }: Listed, { text, tag }: TimelineAsked): boolean =>
  saysAll(job, text) && (tag === '' || job.tags.includes(tag));
