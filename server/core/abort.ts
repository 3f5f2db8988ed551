/** Why a handler was asked to stop. */
export type AbortReason =
  'timeout' | 'cancelled' | 'replaced' | 'lease_lost' | 'draining' | 'failed';

/** What `signal.reason` is. */
export class Aborted extends Error {
  override readonly name = 'Aborted';
  readonly reason: AbortReason;

  constructor(reason: AbortReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const LOOK = Symbol('look');

/**
 * What such signals have in common. V8 makes a getter among its old objects: one for each signal
 * would keep what it knows, which is all of the attempt, until V8 collects everything.
 */
const WATCHFUL: object = Object.create(AbortSignal.prototype, {
  aborted: {
    get(this: AbortSignal): boolean {
      const look: unknown = Reflect.get(this, LOOK);
      if (typeof look === 'function') look();
      return Reflect.get(AbortSignal.prototype, 'aborted', this);
    },
  },
  throwIfAborted: {
    value(this: AbortSignal): void {
      if (this.aborted) throw this.reason;
    },
  },
});

/**
 * The controller's signal, which looks whether it should fire before it says that it has not. After
 * a process stood still, whoever asks it first in a turn comes before the timer that would tell.
 */
export function watchfulSignal({ signal }: AbortController, look: () => void): AbortSignal {
  Object.defineProperty(signal, LOOK, { value: look });
  return Object.setPrototypeOf(signal, WATCHFUL);
}

/** The same in words. */
export const WHY: Readonly<Record<AbortReason, string>> = {
  timeout: 'the attempt took longer than its timeout',
  cancelled: 'the run was cancelled',
  replaced: 'a newer occurrence replaces this run',
  lease_lost: 'the lease was lost: the store could not be reached in time, or another took over',
  draining: 'the process is shutting down',
  failed: 'the handler failed outside of its own call',
};
