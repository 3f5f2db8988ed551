import { table } from '../../scripts/table.ts';
import type { Covered, Failure, Memory, Report } from './tally.ts';

/** A report as text, for whoever has started it. */
export function reportText(report: Report): string {
  const { answered, seconds, failures, memory, slowest, unchanged, compared, unsettled } = report;
  const rate = (answered / seconds).toFixed(0);
  return [
    `${number(answered)} answers in ${seconds.toFixed(1)} s: ${rate} a second`,
    `${number(unchanged)} requests after which nothing was written, ${number(compared)} compared ` +
      `to the last letter, ${unsettled} after which it took too long until all was at rest`,
    '',
    routesText(report),
    '',
    `Operations by status, as the document lists them (${unseen(report.coverage)} never came)`,
    coverageText(report.coverage),
    '',
    `Done to requests: ${[...report.mutations].map(([name, n]) => `${name} ${n}`).join(', ')}`,
    '',
    memoryText(memory),
    `Slowest: ${slowest.map(([route, ms]) => `${route} ${ms.toFixed(0)} ms`).join(', ')}`,
    '',
    ...failures.map((one) => failureText(one, report.seed)),
    failures.length === 0 ? 'Nothing was wrong.' : `${failures.length} things were wrong.`,
  ].join('\n');
}

const number = (n: number): string => n.toLocaleString('en');

function routesText({ counts }: Report): string {
  const rows = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([route, statuses]) => [
      route,
      [...statuses]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([status, n]) => `${status}: ${n}`)
        .join('  '),
    ]);
  return table(['ROUTE', 'ANSWERS'], rows);
}

const unseen = (coverage: readonly Covered[]): number =>
  coverage.flatMap(({ statuses }) => statuses).filter(([, times]) => times === 0).length;

function coverageText(coverage: readonly Covered[]): string {
  const all = [...new Set(coverage.flatMap((one) => one.statuses.map(([status]) => status)))];
  const sorted = all.toSorted((a, b) => a - b);
  const rows = coverage.map(({ id, statuses }) => {
    const times = new Map(statuses);
    return [id, ...sorted.map((status) => String(times.get(status) ?? '').padStart(5))];
  });
  return table(['OPERATION', ...sorted.map((status) => String(status).padStart(5))], rows);
}

function memoryText(memory: readonly Memory[]): string {
  const rows = memory.map(({ done, bytes, blockedMs }) => [
    number(done),
    ...bytes.map((each) => `${(each / 1024 / 1024).toFixed(1)} MB`),
    blockedMs.map((ms) => `${ms.toFixed(0)} ms`).join(', '),
  ]);
  return table(['AFTER', 'TOKENS', 'LOOPBACK', 'BLOCKED AT MOST'], rows);
}

function failureText(failure: Failure, seed: string): string {
  const { fault, index, server, what, by, done = [], replay = [] } = failure;
  const request = index === undefined ? '' : `, request ${index}: ${what} by ${by}`;
  const where = server === undefined ? request : `${request} at ${server}`;
  const changed = done.length === 0 ? '' : ` (${done.join(', ')})`;
  return [
    `seed ${seed}${where}${changed}`,
    `  ${fault}`,
    ...replay.map((one) => `  ${one}`),
    '',
  ].join('\n');
}
