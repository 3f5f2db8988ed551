import { core, type Edit, type Planted } from '../simulation/edit.ts';

const at = (file: string, find: string, put: string): Edit => ({ file, find, put });
const likely = { known: 'a likely one', seed: 0 } as const;
const HOST = 'server/process/isolated/host.js';

/** Faults of what only real processes and real stores have. Each must be found by the chaos. */
export const ON_PROCESSES: readonly Planted[] = [
  {
    ...likely,
    name: 'writes to SQLite whatever version was read',
    edits: [
      at(
        'server/stores/sqlite-jobs.ts',
        'doc = ?\n     WHERE name = ? AND rev = ?',
        'doc = ?\n     WHERE name = ? AND 0 < ?',
      ),
    ],
  },
  {
    ...likely,
    name: 'writes to Firestore whatever version was read',
    edits: [
      at(
        'server/stores/firestore-commit.ts',
        'before ? { updateTime: before.updateTime } : { exists: false },\n    };\n    const bill',
        '{ exists: before !== undefined },\n    };\n    const bill',
      ),
    ],
  },
  {
    ...likely,
    name: 'takes any answer to a beat for a yes',
    edits: [
      core(
        'execute.ts',
        `    if (applied?.kind === 'refused') return this.abort('lease_lost');
    if (applied?.kind !== 'applied') return;`,
        `    const { leaseMs: long, graceMs: short } = this.#lease;
    if (applied?.kind !== 'applied') {
      this.#leaseClock.ends = after(intent.sentAt, long - short);
      return;
    }`,
      ),
    ],
  },
  {
    ...likely,
    name: 'frees the slot of a handler that was asked to stop, and has not',
    edits: [
      core(
        'execute.ts',
        'const ending = await this.#runHandler();',
        `const asked = Promise.withResolvers<void>();
    this.#abort.signal.addEventListener('abort', () => asked.resolve());
    const stopped = asked.promise.then(() => {
      const reason = this.#reason;
      const result = { output: null, error: describeError(this.#abort.signal.reason) };
      return endingOf({ result, stray: undefined, reason, signal: this.#abort.signal });
    });
    const ending = await Promise.race([stopped, this.#runHandler()]);`,
      ),
    ],
  },
  {
    ...likely,
    name: 'ends no isolated handler when its lease is over',
    edits: [
      at(HOST, 'if (now > ends.monotonic + grace || Date.now() > ends.wall + grace) endAll();', ''),
    ],
  },
  {
    ...likely,
    name: 'leaves an isolated handler to itself when its server is gone',
    edits: [
      at(HOST, "process.on('disconnect', endAll);", ''),
      at(HOST, 'if (now > ends.monotonic + grace || Date.now() > ends.wall + grace) endAll();', ''),
    ],
  },
  {
    ...likely,
    name: 'makes a new run each time that a key is used',
    edits: [
      core('run-now.ts', 'manualRunId(job.name, key)', 'unkeyedRunId(job.name, deps.newId())'),
    ],
  },
  {
    ...likely,
    name: 'tries once more than it may',
    edits: [
      core('settle.ts', 'triesUsed(lease) < retry.attempts', 'triesUsed(lease) <= retry.attempts'),
    ],
  },
  {
    ...likely,
    name: 'tries again what was cancelled',
    edits: [
      core(
        'settle.ts',
        "if (lease.cancel !== null || outcome === 'cancelled') return 'cancelled';",
        "if (outcome === 'cancelled') return 'cancelled';",
      ),
    ],
  },
  {
    ...likely,
    name: 'lets leases run out after half their time',
    edits: [core('draft.ts', '+ lease.leaseMs + lease.graceMs + 1', '+ lease.leaseMs / 2 + 1')],
  },
  {
    ...likely,
    name: 'counts a handler that failed as one that returned',
    edits: [
      core(
        'ending-of.ts',
        "if (error === null) return 'succeeded';",
        "if (error === null || reason === undefined) return 'succeeded';",
      ),
    ],
  },
];
