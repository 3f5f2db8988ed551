import type { Again, Commit, Committed, Loaded } from '../core/store.ts';

/** A transaction under way, of a store that reads where it writes. */
interface Transaction {
  /** Writes all of a commit, or nothing. */
  readonly apply: (commit: Commit) => Committed;
  readonly read: (name: string) => Loaded;
  readonly runOf: Parameters<Again>[1];
}

/** What lost to another's write is decided again by that, and applied in place of the first. */
export function applyOrAgain(
  { apply, read, runOf }: Transaction,
  commit: Commit,
  again: Again | undefined,
): Committed {
  const first = apply(commit);
  const instead = first.kind === 'conflict' ? again?.(read(commit.name), runOf) : undefined;
  if (instead === undefined) return first;
  const second = apply(instead);
  return second.kind === 'ok' ? { ...second, instead } : second;
}
