import * as v from 'valibot';
import { at, atOrNull, count, says, textOrNull } from './shapes.ts';

/** What the service tells of itself. */

const cost = v.strictObject({ reads: count, writes: count, deletes: count });

const processShape = v.strictObject({
  owner: says(v.string(), 'Host and process id: its name on what it does.'),
  build: v.string(),
  namespace: v.string(),
  startedAt: at,
  versions: v.strictObject({ punctual: v.string(), node: v.string(), sqlite: v.string() }),
  zones: says(v.string(), 'Version of its time-zone data.'),
  memoryBytes: count,
  jobs: says(count, 'How many jobs its code has.'),
  running: says(count, 'How many attempts are at work in it.'),
  full: v.boolean(),
  draining: v.boolean(),
});

const storeShape = v.strictObject({
  place: v.string(),
  trouble: says(textOrNull, 'Why the process can’t write to it; null while it can.'),
  unsteady: says(textOrNull, 'Why its clock can’t be trusted just now; null while it can.'),
  skewMs: says(v.number(), 'By how much its time is ahead of the process’s clock.'),
  skewWithinMs: says(v.number(), 'How sure that is.'),
});

const wakesShape = v.strictObject({
  by: v.picklist(['timer', 'tick']),
  tickMs: v.number(),
  last: v.nullable(
    v.strictObject({
      at,
      started: count,
      lagMs: says(v.number(), 'How long the first of what was due had waited for it.'),
    }),
  ),
  trouble: says(textOrNull, 'Why wake-ups fail at present; null while they do not.'),
});

const schedulerShape = v.strictObject({
  note: says(
    v.nullable(
      v.strictObject({
        at,
        inSync: v.boolean(),
        steps: says(v.record(v.string(), v.number()), 'How many of each kind were left to do.'),
        paused: v.array(v.string()),
      }),
    ),
    'What `npm run scheduler:sync` last found; null where it never looked.',
  ),
  changed: says(v.boolean(), 'Whether what the code says of triggers has changed since.'),
  resumed: says(v.array(v.string()), 'Jobs that were paused then, and are not now.'),
});

const instanceShape = v.strictObject({
  owner: v.string(),
  build: v.string(),
  since: at,
  seenAt: at,
  running: count,
});

const buildShape = v.strictObject({
  build: v.string(),
  firstSeenAt: atOrNull,
  lastSeenAt: atOrNull,
  inForce: v.boolean(),
});

const auditShape = v.strictObject({
  at,
  lookedBackTo: says(atOrNull, 'Null for all that the ledgers cover.'),
  jobs: v.number(),
  occurrences: v.number(),
  runs: v.number(),
  ranges: v.number(),
  gaps: v.number(),
  firstGaps: v.array(v.string()),
  cleanSince: atOrNull,
});

const leaseShape = v.strictObject({
  job: v.string(),
  runId: v.string(),
  attempt: count,
  owner: v.string(),
  startedAt: at,
  endsAt: says(at, 'When it runs out, unless it is renewed.'),
});

const waitingShape = v.strictObject({
  job: v.string(),
  runId: v.string(),
  state: v.picklist(['queued', 'retry_wait']),
  since: at,
  until: says(atOrNull, 'Not before; null for a place in a queue.'),
});

/** Lists have at most so many; `counts` tells how many there are. */
export const LISTED = 100;

export const systemShape = v.strictObject({
  now: says(at, 'The store’s time, which everything goes by.'),
  process: processShape,
  leaseMs: v.number(),
  store: storeShape,
  wakes: wakesShape,
  scheduler: says(v.nullable(schedulerShape), 'Null where Cloud Scheduler has no part in it.'),
  instances: says(v.array(instanceShape), 'Processes that serve the same jobs.'),
  builds: v.array(buildShape),
  audit: says(v.nullable(auditShape), 'What the last self-audit found; null before the first.'),
  counts: v.strictObject({
    jobs: count,
    incomplete: says(v.boolean(), 'Whether the store has more jobs than were looked at.'),
    leases: says(count, 'Attempts at work, in whatever process.'),
    waiting: says(count, 'Runs that wait for their turn, or for their next attempt.'),
    overdue: says(count, 'Jobs that came due a while ago, and nobody has looked at since.'),
    broken: says(count, 'Jobs that are set aside.'),
  }),
  leases: says(v.array(leaseShape), `The one held longest first, ${LISTED} at most.`),
  waiting: says(v.array(waitingShape), `The longest wait first, ${LISTED} at most.`),
  overdue: says(v.array(v.string()), `${LISTED} at most.`),
  broken: says(
    v.array(v.strictObject({ job: v.string(), problem: v.string() })),
    `${LISTED} at most.`,
  ),
  calls: says(
    v.nullable(v.record(v.string(), v.number())),
    'What this process asked of the store, by operation; null where nobody counts.',
  ),
  costs: says(
    v.nullable(v.strictObject({ total: cost, byOperation: v.record(v.string(), cost) })),
    'What this process was billed; null where nothing is billed.',
  ),
});
