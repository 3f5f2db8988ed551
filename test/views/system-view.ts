import { timing } from '../../server/core/time.ts';
import type { SystemView } from '../../views/system.ts';
import { NOW } from './builders.ts';

/** Data for the system page. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const facts: SystemView['process'] = {
  owner: 'web-1:42',
  build: 'b2',
  namespace: 'default',
  versions: { punctual: '1.2.3', node: '24.1.0', sqlite: '3.50.0' },
  zones: '2026b',
  memoryBytes: 123 * 2 ** 20,
  jobs: 12,
  running: 0,
  full: false,
  draining: false,
};
export const steady = {
  place: 'SQLite, /db',
  trouble: null,
  unsteady: null,
  skewMs: 0,
  skewWithinMs: 1,
};
export const awake = { at: NOW - 5000, started: 3, lagMs: 0 };
/** A self-audit that found nothing amiss. */
export const clean = {
  at: NOW - 8 * HOUR,
  lookedBackTo: null,
  jobs: 12,
  occurrences: 9000,
  runs: 8990,
  ranges: 4,
  gaps: 0,
  firstGaps: [],
  cleanSince: Date.parse('2026-05-03T04:00:00Z'),
};
export const inStep = { at: NOW - 3 * HOUR, inSync: true, steps: {}, registry: 'x', paused: [] };

/** A service with which all is well, unless told otherwise. */
export const systemView = (change: Partial<SystemView> = {}): SystemView => ({
  now: NOW,
  timing: timing({ leaseMs: 90_000, tickMs: MINUTE }),
  startedAt: NOW - HOUR,
  process: facts,
  store: steady,
  wake: { by: 'timer', last: awake, trouble: null },
  scheduler: null,
  instances: [],
  builds: [{ build: 'b2', firstSeenAt: NOW - HOUR, lastSeenAt: NOW, inForce: true }],
  leases: [],
  waiting: [],
  overdue: [],
  broken: [],
  audit: clean,
  auditJob: true,
  calls: undefined,
  costs: undefined,
  total: { reads: 0, writes: 0, deletes: 0 },
  ...change,
});
