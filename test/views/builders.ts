import { blankRun } from '../../server/core/blank-run.ts';
import type { Attempt, Run } from '../../server/core/records.ts';
import { figuresOf } from '../../server/core/stats.ts';
import type { JobSummary } from '../../server/core/summary.ts';
import type { LogShown } from '../../views/log.ts';
import type { RunView } from '../../views/run.ts';
import type { ListedJob } from '../../views/listed-job.ts';
import { packOutcomes } from '../../views/packed.ts';

/** Data for views: each builder fills what a test does not care about. */

export const NOW = Date.parse('2026-11-23T12:00:00Z');

export const job = (given: Partial<JobSummary> = {}): JobSummary => ({
  name: 'nightly-report',
  description: '',
  tags: [],
  schedule: '*/5 * * * *',
  timeZone: 'UTC',
  state: 'idle',
  paused: null,
  nextScheduledAt: null,
  last: null,
  streak: 0,
  unfinished: [],
  recent: [],
  known: true,
  problem: null,
  ...given,
});

/** A job as the list of all has it; its figures follow from its last outcomes. */
export function listedJob(given: Partial<JobSummary & ListedJob> = {}): ListedJob {
  const { recent, ...rest } = job(given);
  const packed = packOutcomes(rest.name, recent);
  return { ...rest, packed, figures: figuresOf(recent), headroom: null, ...given };
}

export const run = (given: Partial<Run> = {}): Run => ({
  ...blankRun('nightly-report', 'nightly-report@20261123T110000Z', { now: NOW, build: 'test' }),
  state: 'succeeded',
  createdAt: NOW,
  ...given,
});

/** The page of a run whose job has no record, and whose log is empty. */
export const runView = (given: Partial<Run> = {}, more: Partial<RunView> = {}): RunView => ({
  run: run(given),
  now: NOW,
  record: null,
  known: true,
  nextAt: null,
  usualMs: null,
  progress: null,
  repeats: false,
  log: logShown([]),
  project: null,
  ...more,
});

export const logShown = (
  entries: LogShown['part']['entries'],
  more: Partial<LogShown> = {},
): LogShown => ({
  runId: 'nightly-report@20261123T110000Z',
  part: { entries, before: null, after: '0.0' },
  filter: { text: '', level: '' },
  since: NOW,
  seconds: null,
  older: false,
  live: false,
  ...more,
});

export const attempt = (given: Partial<Attempt> = {}): Attempt => ({
  n: 1,
  fence: 7,
  attemptId: 'a',
  owner: 'web-1',
  startedAt: NOW - 60_000,
  endedAt: NOW - 58_800,
  outcome: 'failed',
  error: null,
  ...given,
});

/** What a reader sees of markup: its text, with runs of white space as one space. */
export const textOf = ({ markup }: { readonly markup: string }): string =>
  markup
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .replace(/ ([:,])/g, '$1')
    .trim();
