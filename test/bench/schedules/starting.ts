import { inNewProcesses } from '../new-process.ts';
import type { Table } from '../section.ts';
import { ALL_ZONES, JOBS } from './jobs.ts';

/** What is kept once it has been read: how long that takes in a new process, and how much it is. */
export function starting(say: (doing: string) => void): Table {
  const jobs = JOBS.toLocaleString('en');
  const rows = [
    { what: `20 years of next in ${ALL_ZONES.length} zones`, word: 'zones' },
    { what: `${jobs} different schedules read`, word: 'schedules' },
    { what: `${jobs} jobs woken for the first time`, word: 'wake' },
  ];
  return {
    title: 'Time and memory in a process that has not read anything yet',
    columns: ['', 'ms', 'heap, MiB', 'process, MiB'],
    rows: rows.map(({ what, word }) => {
      say(what);
      const found = inNewProcesses(new URL('at-first.ts', import.meta.url), word);
      return [what, found['ms'] ?? NaN, found['heapMib'] ?? NaN, found['rssMib'] ?? NaN];
    }),
  };
}
