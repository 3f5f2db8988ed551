/**
 * Measures what has to be fast or small, beside other libraries where they can do the same.
 *
 *   npm run bench                          all sections
 *   npm run bench -- schedules             one of them
 *   npm run bench -- --json figures.json   writes the figures to that file, too
 *   taskset -c 1 npm run bench             with the engine's own threads on that core as well
 *
 * A section is a file `<name>.section.ts` beside this one. Each figure is the median of five
 * rounds, in which all that is compared takes turns, after a warm-up. Other work on the machine
 * makes figures worse, never better.
 *
 * Exits 1 where a bar is missed, and 2 where no such section is there.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus, platform, release } from 'node:os';
import { parseArgs } from 'node:util';
import { table } from '../../scripts/table.ts';
import { BadUsage, usageOf } from '../../scripts/usage.ts';
import { isMet, type Bar, type Cell, type Result, type Section, type Table } from './section.ts';

const SUFFIX = '.section.ts';
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .toSorted();

const { names, file } = readArguments();
const today = new Date().toISOString().slice(0, 10);
const machine = `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${platform()} ${release()}`;
print(`${today}, Node ${process.versions.node}, ICU ${process.versions.icu}, ${machine}\n`);
const results: Record<string, Result> = {};
for (const name of names) {
  const result = await measure(name);
  results[name] = result;
  const bars = result.bars.length > 0 ? [barsShown(result.bars)] : [];
  print(`${[...result.tables.map(shown), ...bars].join('\n\n')}\n`);
  if (!result.bars.every(isMet)) process.exitCode = 1;
}
if (file !== undefined) writeFileSync(file, json(results));

function readArguments(): { names: readonly string[]; file: string | undefined } {
  const options = {
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (values.help) {
      print(usageOf('../test/bench/run.ts'));
      process.exit(0);
    }
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new BadUsage(`there is no section "${unknown}"; there is: ${known.join(', ')}`);
    }
    return { names: positionals.length > 0 ? positionals : known, file: values.json };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

async function measure(name: string): Promise<Result> {
  const section: Section = await import(new URL(`${name}${SUFFIX}`, import.meta.url).href);
  const result = await section.measure((doing) => note(`${name}: ${doing}`));
  note('');
  return result;
}

/** One line that is written over by the next. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function shown({ title, columns, rows }: Table): string {
  const cells = rows.map((row) => row.map(text));
  const width = (i: number): number =>
    Math.max(columns[i]?.length ?? 0, ...cells.map((row) => row[i]?.length ?? 0));
  const isFigure = columns.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const align = (row: readonly string[]): string[] =>
    row.map((cell, i) => (isFigure[i] ? cell.padStart(width(i)) : cell));
  return `${title}\n\n${table(align(columns), cells.map(align))}`;
}

function text(cell: Cell): string {
  return typeof cell === 'number' ? figure(cell) : cell;
}

/** Three digits say all that a median of five can. */
function figure(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function barsShown(bars: readonly Bar[]): string {
  const rows = bars.map((bar) => {
    const { what, measured, unit, bound } = bar;
    const wanted =
      'atLeast' in bound ? `at least ${figure(bound.atLeast)}` : `under ${figure(bound.under)}`;
    return [what, figure(measured), `${wanted} ${unit}`, isMet(bar) ? 'met' : 'MISSED'];
  });
  return table(['Bar', 'measured', 'wanted', ''], rows);
}

/** The same figures, each under the name of its column, and not rounded. */
function json(results: Readonly<Record<string, Result>>): string {
  const sections = Object.entries(results).map(([name, { tables, bars }]) => ({
    name,
    tables: tables.map(({ title, columns, rows }) => ({
      title,
      rows: rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]]))),
    })),
    bars: bars.map((bar) => ({ ...bar, met: isMet(bar) })),
  }));
  const { node, icu, tz } = process.versions;
  return `${JSON.stringify({ date: today, machine, node, icu, tz, sections }, null, 2)}\n`;
}

function print(what: string): void {
  process.stdout.write(`${what}\n`);
}
