import type { Ended } from '../server/core/timeline.ts';
import { xOf, type Axis } from './axis.ts';
import { toneOf, type Tone } from './state.ts';

/*
 * What ended, as a lane draws it: blocks, each a run or several that lie too close together to be
 * told apart, and marks, each a block or neighbouring ones that share a link.
 */

export interface Block {
  readonly x: number;
  readonly width: number;
  /** Oldest first. */
  readonly ended: readonly Ended[];
}

export interface Mark {
  readonly tone: Tone;
  /** Whether it stands for stretches of occurrences, not for runs. */
  readonly hatched: boolean;
  /** From the left. */
  readonly blocks: readonly Block[];
}

/** How closely a lane is drawn. */
export interface Detail {
  /** The most links of each kind. */
  readonly links: number;
  /** Nearer to each other than this, in units, two blocks are one. */
  readonly apart: number;
  /** The most of anything else that is drawn one by one. */
  readonly single: number;
}

/** Each draws less than the one before. */
export const DETAILS: readonly Detail[] = [
  { links: 60, apart: 4, single: 60 },
  { links: 40, apart: 4, single: 60 },
  { links: 28, apart: 4, single: 60 },
  { links: 20, apart: 6, single: 60 },
  { links: 14, apart: 10, single: 60 },
  { links: 8, apart: 24, single: 30 },
  { links: 4, apart: 64, single: 12 },
  { links: 2, apart: 160, single: 4 },
];

/** In the order in which they are drawn: what is bad stands on top. */
const KINDS = [
  { tone: 'quiet', hatched: true },
  { tone: 'quiet', hatched: false },
  { tone: 'good', hatched: false },
  { tone: 'bad', hatched: true },
  { tone: 'bad', hatched: false },
] as const;

/** `ended` comes with the oldest beginning first. */
export const marksOf = (ended: readonly Ended[], axis: Axis, detail: Detail): Mark[] =>
  KINDS.flatMap(({ tone, hatched }) => {
    const own = ended.filter(
      ({ state, stretch }) => toneOf(state) === tone && (stretch !== null) === hatched,
    );
    const blocks = blocksOf(own, axis, detail.apart);
    return linked(blocks, detail).map((some) => ({ tone, hatched, blocks: some }));
  });

function blocksOf(ended: readonly Ended[], axis: Axis, apart: number): Block[] {
  const blocks: Block[] = [];
  for (const one of ended) {
    const x = xOf(axis, one.from);
    // A line is hard to point at.
    const end = Math.max(x + 1, xOf(axis, one.to));
    const last = blocks.at(-1);
    if (last === undefined || x - endOf(last) >= apart) {
      blocks.push({ x, width: end - x, ended: [one] });
      continue;
    }
    const width = Math.max(last.width, end - last.x);
    blocks[blocks.length - 1] = { x: last.x, width, ended: [...last.ended, one] };
  }
  return blocks;
}

const endOf = ({ x, width }: Block): number => x + width;

/** As many neighbours go together as it takes to have few enough. */
function linked(blocks: readonly Block[], { links }: Detail): Block[][] {
  const size = Math.max(1, Math.ceil(blocks.length / links));
  const groups: Block[][] = [];
  for (let from = 0; from < blocks.length; from += size) {
    groups.push(blocks.slice(from, from + size));
  }
  return groups;
}
