import type { Figures, Headroom } from '../server/core/stats.ts';
import type { JobSummary } from '../server/core/summary.ts';

/** A job in the list of all: with what its last outcomes come to, and themselves in little. */
export interface ListedJob extends Omit<JobSummary, 'recent'> {
  /** The last 60 outcomes, packed (packed.ts). */
  readonly packed: string;
  readonly figures: Figures;
  readonly headroom: Headroom | null;
}

/** What the list can be narrowed down to, in the order in which it is offered. */
export const JOB_GROUPS = [
  'broken',
  'failing',
  'active',
  'running',
  'waiting',
  'tight',
  'paused',
  'retired',
] as const;

export type JobGroup = (typeof JOB_GROUPS)[number];

export const isJobGroup = (text: string): text is JobGroup =>
  JOB_GROUPS.some((group) => group === text);

export function isIn(group: JobGroup, job: ListedJob): boolean {
  const { state } = job;
  switch (group) {
    case 'failing':
      return isFailing(job);
    case 'active':
      return state !== 'paused' && state !== 'retired' && state !== 'broken';
    case 'tight':
      return isTight(job);
    case 'running':
    case 'waiting':
    case 'paused':
    case 'retired':
    case 'broken':
      return state === group;
  }
}

/** Its last run went wrong, and it may run again. */
const isFailing = ({ state, streak }: ListedJob): boolean =>
  state !== 'broken' && state !== 'retired' && streak < 0;

const isTight = ({ state, headroom }: ListedJob): boolean =>
  state !== 'retired' && headroom?.tight === true;

export const isProblem = (job: ListedJob): boolean => job.state === 'broken' || isFailing(job);

/** Broken jobs, then failing ones, then the rest, retired ones last; each in the order given. */
export function problemsFirst(jobs: readonly ListedJob[]): ListedJob[] {
  const ranks: ListedJob[][] = [[], [], [], []];
  for (const job of jobs) ranks[rankOf(job)]?.push(job);
  return ranks.flat();
}

function rankOf(job: ListedJob): number {
  if (job.state === 'broken') return 0;
  if (job.state === 'retired') return 3;
  return isFailing(job) ? 1 : 2;
}
