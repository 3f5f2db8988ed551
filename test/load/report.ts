import { table } from '../../scripts/table.ts';
import { isMet, type Bar } from '../bench/section.ts';
import type { Holds } from './holds.ts';

/** What a part of the load came to. */
export interface Report {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
  /** Whatever is not as it was promised, in words. */
  readonly wrong: readonly string[];
}

/** Something that was measured, and what it came to. */
export type Row = readonly [what: string, value: string | number];

/** So many things that are wrong are enough to go by. */
const SHOWN = 20;

export const isWell = ({ bars, wrong }: Report): boolean => wrong.length === 0 && bars.every(isMet);

/** A report as text. */
export function reportText({ title, rows, bars, wrong }: Report): string {
  const more = wrong.length - SHOWN;
  return [
    table(
      [title, ''],
      rows.map(([what, value]) => [what, shown(value)]),
    ),
    ...(bars.length === 0 ? [] : ['', barsText(bars)]),
    '',
    ...wrong.slice(0, SHOWN).map((what) => `WRONG: ${what}`),
    ...(more > 0 ? [`WRONG: … and ${more} more`] : []),
    wrong.length === 0 ? 'Nothing was wrong.' : `${wrong.length} things were wrong.`,
  ].join('\n');
}

function barsText(bars: readonly Bar[]): string {
  const rows = bars.map((bar) => {
    const { what, measured, unit, bound } = bar;
    const wanted =
      'atLeast' in bound ? `at least ${shown(bound.atLeast)}` : `under ${shown(bound.under)}`;
    return [what, shown(measured), `${wanted} ${unit}`, isMet(bar) ? 'met' : 'MISSED'];
  });
  return table(['Bar', 'measured', 'wanted', ''], rows);
}

const shown = (value: string | number): string =>
  typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : value;

/** A bar under which something has to stay. */
export const under = (what: string, measured: number, limit: number, unit: string): Bar => ({
  what,
  measured,
  unit,
  bound: { under: limit },
});

/** The system's part of memory that is in use: all but what the engine keeps in reserve. */
export const inUse = ({ rss, reserve }: Memory): number => rss - reserve;

/** Bars for what memory has grown by. */
export const grownBars = (
  before: Memory,
  after: Memory,
  limitMb: Readonly<Record<'heap' | 'rss', number>>,
): readonly Bar[] => [
  under('heap, grown', (after.heap - before.heap) / MB, limitMb.heap, 'MB'),
  under('RSS in use, grown', (inUse(after) - inUse(before)) / MB, limitMb.rss, 'MB'),
];

/** Rows on how it was before and after. */
export const memoryRows = (before: Memory, after: Memory): readonly Row[] => [
  ['heap after garbage collection', `${inMb(before.heap)} to ${inMb(after.heap)}`],
  ['RSS', `${inMb(before.rss)} to ${inMb(after.rss)}`],
  ['RSS, but for what V8 keeps in reserve', `${inMb(inUse(before))} to ${inMb(inUse(after))}`],
];

type Memory = Pick<Holds, 'heap' | 'rss' | 'reserve'>;

export const inMb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;

export const MB = 1024 * 1024;
