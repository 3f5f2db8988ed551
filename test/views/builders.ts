import { blankRun } from '../../server/core/blank-run.ts';
import type { Run } from '../../server/core/records.ts';
import type { JobSummary, LogView } from '../../server/core/summary.ts';

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

export const run = (given: Partial<Run> = {}): Run => ({
  ...blankRun('nightly-report', 'nightly-report@20261123T110000Z', { now: NOW, build: 'test' }),
  state: 'succeeded',
  createdAt: NOW,
  ...given,
});

export const noLog: LogView = { entries: [], progress: null };

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
