import type { Ended, Lane } from '../../server/core/timeline.ts';
import { axisAround } from '../../views/axis.ts';
import type { JobLane } from '../../views/lanes.ts';
import type { TimelineView } from '../../views/timeline.ts';
import { listedJob, NOW } from './builders.ts';

/** Data for the timeline. */

const MINUTE = 60_000;
let n = 0;

/** A run of a minute, an hour ago. */
export const ended = (change: Partial<Ended>): Ended => {
  n += 1;
  const from = change.from ?? NOW - 60 * MINUTE;
  return {
    id: `nightly-report@${n}`,
    short: `${n}`,
    state: 'succeeded',
    from,
    to: from + MINUTE,
    lateMs: 0,
    stretch: null,
    error: null,
    ...change,
  };
};

export const lane = (change: Partial<Lane & Pick<JobLane, 'job'>> = {}): JobLane => ({
  job: listedJob(),
  name: 'nightly-report',
  ended: [],
  underway: [],
  due: { at: [], bands: [] },
  coming: { at: [], bands: [] },
  overlapping: [],
  overlap: 'skip',
  paused: null,
  typicalMs: null,
  knownFrom: null,
  ...change,
});

export function timelineView(change: Partial<TimelineView> = {}): TimelineView {
  const lanes = change.lanes ?? [lane({ ended: [ended({})] })];
  const { length } = lanes;
  return {
    now: NOW,
    axis: axisAround(NOW, 24),
    asked: { text: '', tag: '', hours: 24, page: 1 },
    tags: [],
    lanes,
    pages: 1,
    jobs: { all: length, matching: length, drawn: length, problems: 0, more: false },
    history: { kind: 'all' },
    ...change,
  };
}
