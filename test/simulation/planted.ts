import { core, memory, type Planted } from './edit.ts';

/** Each was in some scheduler, or was thought of as a likely one. */
export const PLANTED: readonly Planted[] = [
  {
    name: 'compares active keys instead of the version',
    known: 'Quartz (ABA)',
    seed: 1,
    edits: [
      memory(
        'const version = String(rev);',
        "const version = Object.keys(record.active).join() || 'none';",
      ),
      memory('Math.max(record.rev, Number(read) + 1)', 'record.rev'),
    ],
  },
  {
    name: 'knows an owner by its machine',
    known: 'ShedLock, oban-py',
    seed: 1,
    edits: [core('runner.ts', 'attemptId: deps.newId()', "attemptId: owner.split(':')[0]")],
  },
  {
    name: 'finishes without a fence',
    known: 'Oban',
    seed: 5,
    edits: [
      core(
        'step.ts',
        `  if (draft.record.active[event.attemptId] === undefined) return refuse('not-held');
  passTime(draft, ctx, event.attemptId);
  settle(draft, event.attemptId, event.ending, ctx.now, ctx);`,
        `  const [any] = Object.keys(draft.record.active);
  const attemptId = draft.record.active[event.attemptId] === undefined ? any : event.attemptId;
  if (attemptId === undefined) return refuse('not-held');
  passTime(draft, ctx, attemptId);
  settle(draft, attemptId, event.ending, ctx.now, ctx);`,
      ),
    ],
  },
  {
    name: 'does not increase the token',
    known: 'a likely one',
    seed: 1,
    edits: [core('start.ts', 'Math.max(record.fence + 1, ctx.now)', 'record.fence')],
  },
  {
    name: "expires leases by the asker's wall clock",
    known: 'a likely one',
    seed: 1,
    edits: [
      core(
        'apply.ts',
        'now: now.storeNow,',
        'now: now.storeNow, wall: Math.floor(deps.clock.wall()),',
      ),
      core(
        'settle.ts',
        'ctx.now > at && attemptId !== except',
        'ctx.wall > at && attemptId !== except',
      ),
    ],
  },
  {
    name: "counts the owner's deadline from the reply",
    known: 'a likely one',
    seed: 132,
    edits: [
      core(
        'execute.ts',
        'const ends = after(granted.sentAt,',
        'const ends = after({ monotonic: deps.clock.monotonic(), wall: deps.clock.wall() },',
      ),
      core(
        'execute.ts',
        'this.#leaseClock.ends = after(intent.sentAt,',
        `const { clock } = this.#deps;
    this.#leaseClock.ends = after({ monotonic: clock.monotonic(), wall: clock.wall() },`,
      ),
    ],
  },
  {
    name: 'has no deadline of its own',
    known: 'a likely one',
    seed: 11,
    edits: [core('execute.ts', "if (this.#leaseClock.isOver()) this.abort('lease_lost');", '')],
  },
  {
    name: 'has no grace',
    known: 'a likely one',
    seed: 11,
    edits: [core('start.ts', 'graceMs: graceOf(leaseMs),', 'graceMs: 0,')],
  },
  {
    name: 'does not notice a cancel mark when it renews',
    known: 'a likely one',
    seed: 103,
    edits: [core('execute.ts', 'if (cancel) this.abort(cancel.why);', '')],
  },
  {
    name: 'forgets that leases end when it sets the next alarm',
    known: 'a likely one',
    seed: 1,
    edits: [
      core(
        'plan.ts',
        'for (const lease of Object.values(record.active)) atMost(expiryOf(lease, now));',
        '',
      ),
    ],
  },
  {
    name: 'forgets the pause when it resumes',
    known: 'a likely one',
    seed: 1,
    edits: [core('watermark.ts', 'pauses: [...pauses, ended]', 'pauses')],
  },
  {
    name: 'looks for no evidence after an unknown outcome',
    known: 'a likely one',
    seed: 1,
    edits: [
      core(
        'apply.ts',
        'const own = tries.unsure ? await evidence(deps, intent, now, tries.attemptIds) : undefined;',
        'const own = undefined;',
      ),
    ],
  },
  {
    name: 'moves the watermark before the record is written',
    known: 'River (times kept in memory)',
    seed: 1,
    edits: [
      core(
        'apply.ts',
        '  const first = drawUp(',
        `  const { record } = stepped;
  if (now.record !== undefined && record.watermark > now.record.watermark) {
    const moved = await deps.store.commit({
      op: intent.op, name: intent.job, version: now.version, decidedAt: now.storeNow,
      record: { ...now.record, watermark: record.watermark },
      create: [], update: [], specs: [], logs: [], actions: [],
    });
    if (moved.kind !== 'ok') return 'again';
    now = { ...now, version: moved.version };
  }
  const first = drawUp(`,
      ),
    ],
  },
  {
    name: 'arms the next run by the end of the last',
    known: 'BullMQ',
    seed: 2,
    edits: [
      core(
        'plan.ts',
        'if (scheduled) atMost(',
        "if (scheduled && record.last?.state !== 'lost') atMost(",
      ),
    ],
  },
  {
    name: 'looks back one minute only',
    known: 'Oban',
    seed: 1,
    edits: [
      core(
        'undecided.ts',
        'schedulesIn(record, { from: record.watermark, to: now })',
        'schedulesIn(record, { from: Math.max(record.watermark, now - 60_000), to: now })',
      ),
    ],
  },
  {
    name: 'counts paused time as missed',
    known: 'Kubernetes #42649',
    seed: 1,
    edits: [
      core(
        'undecided.ts',
        "const PAUSED: Verdict = { state: 'skipped', reason: 'paused', cause: null };",
        "const PAUSED: Verdict = { state: 'missed', reason: 'outage', cause: null };",
      ),
    ],
  },
  {
    name: 'discards a job that it does not know',
    known: 'River #1105',
    seed: 2,
    edits: [
      core(
        'wake.ts',
        '(registry.has(record.name) || record.retiredAt !== null)',
        'registry.size > 0',
      ),
      core(
        'wake.ts',
        "event: { kind: 'wake' }",
        "event: { kind: deps.registry.has(name) ? 'wake' : 'retire' }",
      ),
    ],
  },
  {
    name: 'lets one bad job block the page',
    known: 'River #1318',
    seed: 10,
    edits: [
      core(
        'wake.ts',
        'const woken = await Promise.all(due.items.map((item) => wakeOne(deps, item, read, waking)));',
        `const woken = [];
    for (const item of due.items) {
      const one = await wakeOne(deps, item, read, waking);
      if (one.outage !== undefined) throw one.outage;
      woken.push(one);
    }`,
      ),
      core('wake.ts', 'if (isOutage(error)) return', 'if (error !== undefined) return'),
    ],
  },
  {
    name: 'counts with increments',
    known: 'measured on the Firestore client: a lost reply applies one twice',
    seed: 1,
    edits: [
      memory(
        "if (stored?.version !== read) return { kind: 'conflict' };",
        `if (stored?.version !== read) {
      const { counters } = commit.record;
      const raised = stored && { ...stored, record: frozen({ ...stored.record, counters }) };
      if (raised) this.#jobs.set(name, raised);
      return { kind: 'conflict' };
    }`,
      ),
    ],
  },
  {
    name: 'lets a manual run ignore the overlap policy',
    known: 'Temporal TS #1594',
    seed: 1,
    edits: [
      core(
        'requests.ts',
        "if (record.spec.overlap === 'skip') return refuse('busy', blocker(record));",
        '',
      ),
      core(
        'plan.ts',
        'if (isFull(draft.record)) return;',
        'if (isFull(draft.record) && draft.record.queue.length === 0) return;',
      ),
    ],
  },
  {
    name: 'is off by one at the instant in which the slot gets free',
    known: 'a likely one',
    seed: 169,
    edits: [core('choose.ts', 'at <= record.freeAt', 'at < record.freeAt')],
  },
  {
    name: 'records one occurrence too many before the one that starts',
    known: 'a likely one',
    seed: 1,
    edits: [core('choose.ts', 'entry.to < start', 'entry.to <= start')],
  },
];

/** Safe, and wasteful: found by how often a granted run is left to nobody. */
export const WASTEFUL: Planted = {
  name: 'takes an unknown outcome for a failure',
  known: 'a likely one',
  seed: 0,
  edits: [
    core(
      'apply.ts',
      'if (error instanceof UnknownOutcome) tries.unsure = true;',
      "if (error instanceof UnknownOutcome) return { kind: 'unknown', cause: error };",
    ),
  ],
};
