import type { Attempt, Run } from '../../server/core/records.ts';

/** PROTOCOL.md 3.1, written down a second time: what a run's state may become. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  none: ['queued', 'running', 'skipped', 'missed', 'cancelled'],
  queued: ['running', 'cancelled'],
  running: ['running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'retry_wait', 'lost'],
  retry_wait: ['running', 'cancelled'],
};

export const isOver = (state: string): boolean => !(state in NEXT);

/** What is wrong with a change of one run's record: I7, I10 and I12. */
export function wrongInRun(
  before: Run | undefined,
  after: Run,
  limits: { readonly attempts: number },
): string | undefined {
  const from = before?.state ?? 'none';
  if (!NEXT[from]?.includes(after.state))
    return `I7 ${after.id} goes from ${from} to ${after.state}`;
  const wrong = wrongInAttempts(before?.attempts ?? [], after);
  if (wrong !== undefined) return wrong;
  const interrupted = after.attempts.filter(({ outcome }) => outcome === 'interrupted').length;
  const counted = after.attempts.length - Math.min(interrupted, 20);
  if (counted > limits.attempts) return `I10 ${after.id} has ${counted} attempts`;
  if (before === undefined) return undefined;
  const lost = (
    ['input', 'requestHash', 'scheduledAt', 'trigger', 'createdAt', 'at'] as const
  ).find((field) => before[field] !== after[field]);
  if (lost !== undefined) return `I12 ${after.id} changes its ${lost}`;
  if (after.notes.length < before.notes.length) return `I12 ${after.id} loses notes`;
  return undefined;
}

function wrongInAttempts(before: readonly Attempt[], { id, attempts, state }: Run) {
  for (const [i, attempt] of attempts.entries()) {
    const was = before[i];
    if (attempt.n !== i + 1) return `I10 ${id} counts attempt ${attempt.n} as its ${i + 1}.`;
    const last = attempts[i - 1];
    if (last !== undefined && last.fence >= attempt.fence) return `I6 ${id} has an old token`;
    if (was !== undefined && was.attemptId !== attempt.attemptId) return `I12 ${id} loses a start`;
    const ended = was?.endedAt ?? null;
    if (ended !== null && ended !== attempt.endedAt) return `I10 ${id} ends twice`;
    const open = i === attempts.length - 1 && state === 'running';
    if (open !== (attempt.endedAt === null)) return `I10 ${id} ${state}, attempt ${i + 1} is not`;
  }
  return attempts.length < before.length ? `I12 ${id} loses attempts` : undefined;
}
