import type { Deps } from './deps.ts';

/** A handler that keeps the thread for this long is told so on its run. */
const BLOCKED_MS = 1000;
const BEAT_MS = 250;

/** Notices when the event loop stood still. */
export interface LoopWatch {
  /** Looks now, rather than at the next beat: a handler may block and end in one turn. */
  check(): void;
  stop(): void;
}

interface Watched {
  readonly label: string;
  readonly isolated: boolean;
  blocked(ms: number, others: readonly string[]): void;
  checkLease(): void;
}

/**
 * While attempts run, notes on each how long the loop stood still; nobody can tell whose fault it
 * was. After a sleep of the machine it is the first to look at the time, so it looks at leases too.
 */
export function watchLoop(deps: Deps, running: () => readonly Watched[]): LoopWatch {
  const { clock } = deps;
  let last = clock.monotonic();
  const check = (): void => {
    const now = clock.monotonic();
    const blockedMs = now - last - BEAT_MS;
    last = now;
    if (blockedMs < BLOCKED_MS) return;
    const all = running().filter(({ isolated }) => !isolated);
    for (const one of all) {
      one.blocked(
        blockedMs,
        all.filter((other) => other !== one).map((other) => other.label),
      );
    }
    const jobs = all.map((one) => one.label);
    deps.log('warn', 'event_loop_blocked', { ms: Math.round(blockedMs), jobs });
  };
  let cancel = clock.after(BEAT_MS, beat);
  function beat(): void {
    check();
    for (const one of running()) one.checkLease();
    cancel = clock.after(BEAT_MS, beat);
  }
  return { check, stop: () => cancel() };
}
