/**
 * A run's states. Every other transition is a bug, and asserted in production.
 *
 *                       ┌────────── cancel ────────────────┐
 *  (none) ──admit──▶ queued ──slot──▶ running ──ok──▶ succeeded
 *     │                                │ │ │ └─error, none left─▶ failed
 *     │                                │ │ └──timeout, none left─▶ timed_out
 *     ├──range─▶ skipped               │ └────cancel honoured───▶ cancelled ◀─┐
 *     └──range─▶ missed                │                                      │
 *                                      ├─lease expired, onLost=fail─▶ lost    │
 *                                      └─error/timeout/lost/interrupted, tries left
 *                                                   ▼                         │
 *                                              retry_wait ──cancel────────────┘
 *                                                   └──slot, notBefore──▶ running
 */
export const RUN_STATES = [
  'queued',
  'running',
  'retry_wait',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'lost',
  'skipped',
  'missed',
] as const;

export type RunState = (typeof RUN_STATES)[number];

export const TRIGGERS = ['schedule', 'manual', 'backfill'] as const;

const NEXT: Readonly<Record<RunState | 'none', readonly RunState[]>> = {
  none: ['queued', 'running', 'skipped', 'missed'],
  queued: ['running', 'cancelled'],
  running: ['succeeded', 'failed', 'timed_out', 'cancelled', 'retry_wait', 'lost'],
  retry_wait: ['running', 'cancelled'],
  succeeded: [],
  failed: [],
  timed_out: [],
  cancelled: [],
  lost: [],
  skipped: [],
  missed: [],
};

/** True once nothing can change the state any more. */
export const isFinal = (state: RunState): boolean => NEXT[state].length === 0;

/** True for a final state that somebody should look at. */
export const isFailure = (state: RunState): boolean =>
  state === 'failed' || state === 'timed_out' || state === 'lost' || state === 'missed';

/** Throws on a transition that the drawing above does not have. */
export function assertTransition(runId: string, from: RunState | undefined, to: RunState): void {
  if (NEXT[from ?? 'none'].includes(to)) return;
  throw new BrokenInvariant(`run "${runId}" may not go from ${from ?? 'nothing'} to ${to}`);
}

export const isRunState = (text: string): text is RunState =>
  (RUN_STATES as readonly string[]).includes(text);

/** A rule of the protocol does not hold. Whoever meets it stops before writing anything. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}
