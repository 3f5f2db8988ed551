import { axisAround, type Axis, type Reach } from '../../../views/axis.ts';
import type { JobLane } from '../../../views/lanes.ts';
import type { ListedJob } from '../../../views/listed-job.ts';
import { nameOfRun } from '../../../views/packed.ts';
import { unpackOutcomes } from '../../../views/unpacked.ts';
import type { Run } from '../../core/records.ts';
import {
  endedRun,
  laneOf,
  type Ended,
  type JobSeen,
  type TimeWindow,
} from '../../core/timeline.ts';
import type { Instant } from '../../core/time.ts';
import type { JobsSeen } from './job-list.ts';

/** A job of the list, with what a lane is made of. */
export interface Listed extends JobSeen {
  readonly job: ListedJob;
}

export const listed = ({ jobs, failures, loaded }: JobsSeen): Listed[] =>
  jobs.flatMap((job, i) => {
    const failed = failures[i];
    return failed === undefined ? [] : [{ job, failures: failed, record: loaded[i]?.record }];
  });

/**
 * Lanes, kept while their axis stands still: most polls find most of them as they were. Nothing
 * depends on it.
 */
export class Lanes {
  readonly #drawn = new Map<Reach, { readonly axis: Axis; readonly lanes: Map<string, Kept> }>();

  /** The same object while it is the same axis. */
  axisAt(now: Instant, hours: Reach): Axis {
    const axis = axisAround(now, hours);
    const kept = this.#drawn.get(hours);
    if (kept?.axis.middle === axis.middle) return kept.axis;
    this.#drawn.set(hours, { axis, lanes: new Map() });
    return axis;
  }

  /** `axis` is what `axisAt` gave. */
  laneOf(seen: Listed, runs: readonly Run[], { axis, now }: { axis: Axis; now: Instant }): JobLane {
    const { job, record } = seen;
    const lanes = this.#drawn.get(axis.hours)?.lanes;
    const kept = lanes?.get(job.name);
    if (kept?.job === job && kept.record === record && kept.runs === runs) return kept.lane;
    const lane = laneFrom(seen, runs, { from: axis.from, now, to: axis.to });
    lanes?.set(job.name, { job, record, runs, lane });
    return lane;
  }
}

/** A lane, and what it was made of: as long as each of these is the same, so is the lane. */
interface Kept extends Pick<Listed, 'job' | 'record'> {
  readonly runs: readonly Run[];
  readonly lane: JobLane;
}

/** Of a run that was read its record tells more than what the job has of it at hand. */
function laneFrom(seen: Listed, runs: readonly Run[], window: TimeWindow): JobLane {
  const { job } = seen;
  const atHand = unpackOutcomes(job.name, job.packed);
  const read = runs.map((run) => endedRun(run, nameOfRun(run.id)));
  const ended = new Map<string, Ended>([...atHand, ...read].map((one) => [one.short, one]));
  const typicalMs = job.figures.p50Ms;
  return { job, ...laneOf(seen, { ended: [...ended.values()], typicalMs }, window) };
}
