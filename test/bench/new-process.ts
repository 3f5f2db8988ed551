import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';

const ROUNDS = 5;

/**
 * Runs a script in new processes, where nothing is warm or kept yet. Each prints figures as JSON;
 * gives the median of each.
 */
export function inNewProcesses(script: URL, word: string): Readonly<Record<string, number>> {
  const found: Record<string, number>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const args = ['--expose-gc', fileURLToPath(script), word];
    found.push(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })));
  }
  const names = Object.keys(found[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(found.map((one) => one[name] ?? NaN))]),
  );
}
