/** What somebody may do: a viewer looks, an operator changes things too. */
export type Role = 'viewer' | 'operator';

/** Who asks, as identity found out before any route is reached. */
export interface Caller {
  /** What the record says of who did something; null for whoever sits at this machine. */
  readonly name: string | null;
  readonly role: Role;
  /** The only jobs that it may see or touch; null for all. */
  readonly jobs: readonly string[] | null;
  /** How it is known. */
  readonly by: 'loopback' | 'token' | 'session' | 'iap' | 'google';
}

// Beside the request rather than on it, so that nothing a client sends can pass for it.
const callers = new WeakMap<object, Caller>();

/** Notes who sends a request. */
export const setCaller = (req: object, caller: Caller): void => void callers.set(req, caller);

/** Who sends a request. Throws where nobody asked: a route that was reached past identity. */
export function callerOf(req: object): Caller {
  const caller = knownCaller(req);
  if (caller === null) throw new Error('a route was reached without a caller');
  return caller;
}

/** The same where it may be anybody: null for who is not known. */
export const knownCaller = (req: object): Caller | null => callers.get(req) ?? null;

/** What goes on record as who did it. */
export const nameOf = (req: object): string | null => callerOf(req).name;
