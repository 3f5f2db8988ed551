import { blankRun } from '../server/core/blank-run.ts';
import type {
  ActionRecord,
  JobRecord,
  Lease,
  LogChunk,
  Retry,
  Run,
} from '../server/core/records.ts';
import type { Request } from '../server/core/run-now.ts';
import type { Commit } from '../server/core/store.ts';
import type { Instant } from '../server/core/time.ts';

/** Builders fill what a test does not care about; what it asserts on is given by the test. */

const AT: Instant = Date.UTC(2026, 2, 1);

export const jobRecord = (change: Partial<JobRecord> = {}): JobRecord => ({
  name: 'nightly-report',
  rev: 1,
  namespace: 'default',
  spec: {
    overlap: 'skip',
    catchUp: { runs: 'latest', withinMs: 3_600_000, max: 10 },
    timeoutMs: 600_000,
    leaseMs: 90_000,
    retry: { attempts: 1, backoff: { fromMs: 10_000, factor: 2, toMs: 300_000, jitter: 0.1 } },
    onLost: 'fail',
  },
  schedules: [{ schedule: '0 2 * * *', timeZone: 'UTC', from: AT }],
  specHash: 'hash',
  build: 'build-1',
  registeredAt: AT,
  retiredAt: null,
  watermark: AT,
  ledgerFrom: AT,
  catchUpTo: null,
  freeAt: AT,
  freed: null,
  paused: null,
  pauses: [],
  fence: AT,
  active: {},
  retries: [],
  queue: [],
  backfill: null,
  nextActionAt: null,
  last: null,
  streak: 0,
  counters: {},
  recent: [],
  days: [],
  ...change,
});

export const lease = (change: Partial<Lease> = {}): Lease => ({
  runId: 'nightly-report@20260301T020000Z',
  trigger: 'schedule',
  fence: AT,
  attempt: 1,
  interruptions: 0,
  scheduledAt: AT,
  owner: 'here',
  startedAt: AT,
  renewedAt: AT,
  leaseMs: 90_000,
  graceMs: 5000,
  cancel: null,
  beside: false,
  ...change,
});

export const retry = (change: Partial<Retry> = {}): Retry => ({
  runId: 'nightly-report@20260301T020000Z',
  trigger: 'schedule',
  scheduledAt: AT,
  attempt: 2,
  interruptions: 0,
  notBefore: AT,
  since: AT,
  beside: false,
  ...change,
});

/** A run that somebody asks for by hand. */
export const runRequest = (change: Partial<Request> = {}): Request => ({
  input: undefined,
  key: undefined,
  beside: false,
  rerunOf: null,
  by: null,
  traceparent: null,
  ...change,
});

export const run = (change: Partial<Run> = {}): Run => ({
  ...blankRun('nightly-report', 'nightly-report@20260301T020000Z', { now: AT, build: 'build-1' }),
  state: 'running',
  scheduledAt: AT,
  createdAt: AT,
  ...change,
});

export const commit = (
  record: JobRecord,
  change: Partial<Omit<Commit, 'record'>> = {},
): Commit => ({
  op: 'test',
  about: null,
  reads: 0,
  name: record.name,
  version: undefined,
  decidedAt: AT,
  record,
  create: [],
  update: [],
  specs: [],
  logs: [],
  actions: [],
  ...change,
});

export const logChunk = (change: Partial<LogChunk> = {}): LogChunk => ({
  runId: 'nightly-report@20260301T020000Z',
  n: 0,
  first: 0,
  lines: [{ at: AT, level: 'info', text: 'hello', fields: null }],
  progress: null,
  keepFrom: 0,
  ...change,
});

export const action = (change: Partial<ActionRecord> = {}): ActionRecord => ({
  id: 'action-1',
  at: AT,
  by: 'ada',
  action: 'pause',
  job: 'nightly-report',
  runId: null,
  detail: '',
  ...change,
});
