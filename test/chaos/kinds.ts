import type { JobDefinition } from '../../server/core/job.ts';

/** What handlers do in the chaos, and under which policies. Both sides know it: servers and judge. */
export interface Kind {
  readonly policy: Omit<JobDefinition, 'name' | 'every' | 'input' | 'run'>;
  /** How long it works, one effect a step. */
  readonly forMs: number;
  /** Which attempts fail when they are done; none, if not given. */
  readonly fails?: 'first' | 'always';
  /** Goes on for so long after it was asked to stop, unless its lease is lost. */
  readonly deafMs?: number;
  /** Never gives its thread back, and never looks at its signal. */
  readonly busy?: boolean;
}

const soon = { from: '300ms', to: '1s' } as const;
const later = { from: '1s' } as const;

const QUICK: Kind = { forMs: 40, policy: {} };

/** Jobs due each second; a lease is 2 s, and beats come every 0.7 s. */
const EACH_SECOND: readonly Kind[] = [
  QUICK,
  { forMs: 2600, policy: { onLost: 'retry', retry: { attempts: 3, backoff: soon } } },
  { forMs: 300, fails: 'first', policy: { retry: { attempts: 3, backoff: soon } } },
  QUICK,
  { forMs: 1400, policy: { overlap: 'queue', onLost: 'retry' } },
  { forMs: 120, fails: 'always', policy: {} },
  { forMs: 3500, policy: { overlap: 'replace' } },
  QUICK,
  { forMs: 2300, policy: { overlap: { allow: 3 }, onLost: 'retry' } },
  { forMs: 2500, deafMs: 900, policy: { timeout: '800ms' } },
  { forMs: 200, policy: { catchUp: { runs: 'all', max: 4 }, overlap: 'queue' } },
  { forMs: 1800, policy: { isolate: true, onLost: 'retry' } },
  QUICK,
  { forMs: 700, policy: { overlap: { allow: 2 } } },
  { forMs: 5000, policy: { onLost: 'retry', retry: { attempts: 2, backoff: soon } } },
  { forMs: 60, policy: { catchUp: { runs: 'none' } } },
  { forMs: 1500, deafMs: 1200, policy: { overlap: 'replace', onLost: 'retry' } },
  { forMs: 6000, busy: true, policy: { isolate: true, overlap: 'replace' } },
  { forMs: 250, fails: 'always', policy: { retry: { attempts: 2, backoff: soon } } },
  { forMs: 1100, policy: {} },
];

/**
 * Jobs due every 10 s; a lease is 3 s, and beats come every second. None is deaf: by a bad
 * connection a lease is lost in the middle of work, and whoever is deaf can't know.
 */
const EACH_TEN_SECONDS: readonly Kind[] = [
  { forMs: 60, policy: {} },
  { forMs: 4000, policy: { onLost: 'retry', retry: { attempts: 3, backoff: later } } },
  { forMs: 1500, policy: {} },
  { forMs: 300, fails: 'first', policy: { retry: { attempts: 3, backoff: later } } },
  { forMs: 12_000, policy: { onLost: 'retry', retry: { attempts: 2, backoff: later } } },
  {
    forMs: 6000,
    policy: { overlap: 'queue', onLost: 'retry', retry: { attempts: 3, backoff: later } },
  },
  { forMs: 2500, policy: { overlap: { allow: 2 }, timeout: '2s' } },
  { forMs: 14_000, policy: { overlap: 'replace' } },
  { forMs: 3000, policy: { isolate: true, onLost: 'retry' } },
  { forMs: 15_000, policy: { overlap: { allow: 3 } } },
];

/** To start a process a second is as much work as a machine has time for. */
const withoutHosts = EACH_SECOND.filter(({ policy }) => policy.isolate === undefined);

const KINDS = { '1s': [...EACH_SECOND, ...withoutHosts], '10s': EACH_TEN_SECONDS } as const;

/** How often jobs are due. */
export type Every = keyof typeof KINDS;

export const EVERY_MS: Readonly<Record<Every, number>> = { '1s': 1000, '10s': 10_000 };

export const isEvery = (text: string): text is Every => Object.keys(KINDS).includes(text);

export const jobName = (n: number): string => `job-${n}`;

/** The kind of the `n`th job: each comes in turn. */
export function kindAt(every: Every, n: number): Kind {
  const kinds = KINDS[every];
  return kinds[n % kinds.length] ?? QUICK;
}

export const kindOf = (every: Every, job: string): Kind =>
  kindAt(every, Number(job.slice(job.indexOf('-') + 1)));

export function slotsOf({ policy: { overlap } }: Kind): number {
  return typeof overlap === 'object' ? overlap.allow : 1;
}

/** How many attempts a run may have that were not interrupted. */
export const triesOf = ({ policy: { retry, onLost } }: Kind): number =>
  retry?.attempts ?? (onLost === 'retry' ? 2 : 1);
