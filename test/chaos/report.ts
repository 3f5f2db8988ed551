import { table } from '../../scripts/table.ts';
import type { Outcome } from './afterwards.ts';
import type { Report } from './chaos.ts';
import { NONE, type Asked } from './people.ts';

/** What it all came to, as a small table. */
export function figures(
  title: string,
  outcome: Outcome,
  more: Readonly<Record<string, string | number>>,
): string {
  const { found, counts, audit, left, recoveries, errors, disagreements, untrue } = outcome;
  const { killed, stopped, told, again, ended, up } = recoveries;
  const of = (outcome: Parameters<typeof counts.outcomes.get>[0]): number =>
    counts.outcomes.get(outcome) ?? 0;
  const rows = {
    ...more,
    'somebody was up': `${(100 * up.share).toFixed(0)} %, ${up.mean.toFixed(1)} on average`,
    occurrences: /(\d+) occurrences/.exec(audit)?.[1] ?? '?',
    runs: counts.runs,
    'runs by hand': counts.byHand,
    'attempts that began': found.attempts.size,
    'lost attempts': of('lost'),
    'interrupted attempts': of('interrupted'),
    retries: counts.retries,
    ...spread('lost by SIGKILL, on record after', killed),
    ...spread('lost by SIGSTOP, on record after', stopped),
    ...spread('interrupted by SIGTERM, on record after', told),
    ...spread('interrupted by SIGTERM, at work again after', again),
    ...spread('ended after SIGTERM within', ended),
    'errors that servers told of': [...errors].map(([event, n]) => `${event} ${n}`).join(', ') || 0,
    ...(outcome.failedStarts > 0 && { 'starts that failed': outcome.failedStarts }),
    'effects on their way, or of the deaf': found.late,
    overlaps: found.overlaps.length,
    doubles: found.doubles.length,
    'fence violations': found.fences.length,
    'journal and records apart': disagreements.length,
    'untrue answers': untrue.length,
    gaps: /(\d+) unexplained gaps/.exec(audit)?.[1] ?? '?',
    'left over': left.length,
  };
  const cells = Object.entries(rows).map(([name, value]) => [name, `${value}`]);
  return `\n${table([title, ''], cells)}\n`;
}

/** Median, and what it was at most. */
function spread(what: string, times: readonly number[]): Record<string, string> {
  if (times.length === 0) return {};
  const sorted = times.toSorted((a, b) => a - b);
  const [median, last] = [sorted[sorted.length >> 1], sorted.at(-1)];
  return { [what]: `${median} ms, at most ${last} ms (${times.length} of them)` };
}

/** What people asked for, and what they were answered. */
export function asked({ runs, cancelled, pauses }: Asked): Record<string, string | number> {
  const counts = new Map<number, number>();
  for (const { answers } of runs.values()) {
    for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const statuses = [...counts].toSorted(([a], [b]) => a - b);
  return {
    'keys asked for': runs.size,
    answered: statuses
      .map(([status, n]) => `${status === NONE ? 'not at all' : status}: ${n}`)
      .join(', '),
    'cancels, pauses': `${cancelled.length}, ${pauses.length}`,
  };
}

const SHOWN = 40;

/** A report as text, for whoever has started it: `again` is the command that does the same again. */
export function reportText(
  { outcome, struck, proxy, servers, jobs, seconds, violations, late, ...more }: Report,
  { again, folder }: { readonly again: string; readonly folder: string },
): string {
  const title = `${servers} servers, ${jobs} jobs, ${seconds} s`;
  const shown = figures(title, outcome, {
    ...struck,
    ...(proxy && Object.fromEntries(proxy.fates)),
    ...(proxy && { 'late, and applied': proxy.appliedLate() }),
    ...asked(more.asked),
    'later than promised': late,
    'this command was held up for at most': `${more.heldUpMs} ms`,
  });
  if (violations.length === 0) return `${shown}\nEvery promise was kept.`;
  const rest = violations.length - SHOWN;
  return [
    shown,
    ...violations.slice(0, SHOWN),
    ...(rest > 0 ? [`… and ${rest} more`] : []),
    `${violations.length} promises were not kept. All is in ${folder}`,
    `The same again: ${again}`,
  ].join('\n');
}
