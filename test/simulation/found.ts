import { core, memory, type Planted } from './edit.ts';

/** Faults that were in this program until the simulation found them. */
export const FOUND: readonly Planted[] = [
  {
    name: 'takes what others did between two reads for a broken record',
    known: 'ours: a run is read after its job, so it may be newer',
    seed: 7,
    edits: [core('apply.ts', 'if (version === now.version) throw error;', 'throw error;')],
  },
  {
    name: 'believes a conflict',
    known: 'ours: a client that sends a commit twice by itself hears of the second',
    seed: 1,
    edits: [
      core(
        'apply.ts',
        `      tries.unsure = true;
      tries.cause = CONTENDED;`,
        '      tries.cause = CONTENDED;',
      ),
    ],
  },
  {
    name: 'writes when it is woken before its time',
    known: 'ours: a slow store made every second wake-up of a running job write',
    seed: 8,
    edits: [
      core(
        'plan.ts',
        'stored !== null && stored > ctx.now && (at === null || at > stored)',
        'stored !== null && stored > ctx.now && at !== null && at > stored && at - stored < ctx.timing.earlyMs',
      ),
    ],
  },
  {
    name: 'decides ahead of time by a clock that runs fast',
    known: 'ours: a held record was reckoned forward by the whole of the monotonic time',
    seed: 3,
    edits: [core('held.ts', 'const MOST_DRIFT = 0.01;', 'const MOST_DRIFT = 0;')],
  },
  {
    name: 'lets a decision be ahead of a clock that was set back',
    known: 'ours: the job was then set aside for a watermark in the future',
    seed: 85,
    edits: [memory("if (commit.decidedAt > time.storeNow) return { kind: 'conflict' };", '')],
  },
  {
    name: 'sets a job aside for five ticks because others keep changing it',
    known: 'ours: contention was taken for the fault of the job',
    seed: 485,
    edits: [core('wake.ts', 'const contended = isContended(error);', 'const contended = false;')],
  },
  {
    name: 'reckons the lease from after a sleep of the machine',
    known: 'ours: the wall time of sending was reconstructed when the reply came',
    seed: 1563,
    edits: [
      core(
        'execute.ts',
        'const ends = after(granted.sentAt,',
        `const { monotonic } = granted.sentAt;
    const wall = deps.clock.wall() - deps.clock.monotonic() + monotonic;
    const ends = after({ monotonic, wall },`,
      ),
    ],
  },
  {
    name: 'goes by a record whose time stood still in sleep',
    known: 'ours: a finish decided by a time that was minutes old',
    seed: 7601,
    edits: [
      core(
        'apply.ts',
        'const usable = held && isReckonable(held, deps.clock, deps.timing.staleReadMs);',
        'const usable = held !== undefined;',
      ),
    ],
  },
  {
    name: 'starts two retries at once where a definition took a slot away',
    known: 'ours: each retry started in the slot it held, though one was left',
    seed: 317,
    edits: [
      core(
        'plan.ts',
        'one.notBefore <= ctx.now && mayRetry(record, one)',
        'one.notBefore <= ctx.now',
      ),
    ],
  },
  {
    name: 'forgets a job that was defined by a build that died at once',
    known: 'ours: nothing but a note of that build told which jobs to retire',
    seed: 3045,
    edits: [core('register.ts', 'of onRecord ?? []', 'of []')],
  },
  {
    name: 'does not start because one job is spoilt',
    known: 'ours: registration stopped at the first record that could not be used',
    seed: 10,
    edits: [
      core(
        'register.ts',
        "deps.log('error', `${wish.op}_failed`, { job: wish.job, error: message });",
        'throw new Error(message);',
      ),
    ],
  },
  {
    name: 'gives up on a late result when the store does not answer once',
    known: 'ours: what a handler came to after its lease was lost with one failed call',
    seed: 342,
    edits: [
      core('late-result.ts', 'if (!down || clock.monotonic() >= giveUpAt) return;', 'return;'),
    ],
  },
  {
    name: 'grants a second attempt under the id of the first',
    known: 'ours: a claim that stayed unknown for longer than its lease was tried once more',
    seed: 6988,
    edits: [core('apply.ts', 'offer: offerOf(intent, tries),', 'offer: intent.offer,')],
  },
];
