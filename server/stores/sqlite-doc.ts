import type { JobRecord } from '../core/records.ts';

/** A job's record as the text that is stored. */
export interface Doc {
  readonly text: string;
  /** With its room, but without what stands for a time. */
  readonly bytes: number;
  /** By their names: what is written next has most of them. */
  readonly parts: ReadonlyMap<string, Part>;
}

/** What of the doc before is known: its parts only where this process made it. */
export type Before = Pick<Doc, 'bytes'> & Partial<Doc>;

/** Part of a record, with the text of it, and of each of its items if it is a list. */
interface Part {
  readonly of: object;
  readonly text: string;
  readonly items: ReadonlyMap<object, string>;
}

/** More than a claim adds to it. */
const ROOM = 1024;
/** Where more is left of it than several claims at once need, it is given back. */
const MOST_ROOM = 8 * ROOM;
/** What a time takes in a row, before the doc; null takes nothing. */
const TIME_BYTES = 6;

/**
 * As long as the one before, filled up by blanks, if it fits: a row that keeps its length is
 * written over where it lies, and only those of its pages are written that change. Else SQLite
 * gives its pages back and takes others, which is a third of all pages of a commit.
 */
export function docOfJob(record: JobRecord, before: Before | undefined): Doc {
  const inPlace = record.nextActionAt === null ? ' '.repeat(TIME_BYTES) : '';
  const { often, seldom, parts } = textsOf(record, before?.parts);
  const needed = Buffer.byteLength(often) + Buffer.byteLength(seldom);
  const room = before?.bytes ?? 0;
  const fits = needed <= room && room <= needed + MOST_ROOM;
  const bytes = fits ? room : Math.ceil((needed + ROOM) / ROOM) * ROOM;
  return { text: inPlace + often + ' '.repeat(bytes - needed) + seldom, bytes, parts };
}

/** The same of a doc that is stored already. */
export const bytesOfDoc = (text: string, nextActionAt: number | null): number =>
  Buffer.byteLength(text) - (nextActionAt === null ? TIME_BYTES : 0);

/**
 * Last the parts that most writes leave as they are, which are most of it: the room before them
 * lets them stay where they were, on pages of their own that a claim does not change.
 */
function textsOf(
  { recent, days = [], schedules, spec, ...rest }: JobRecord,
  known: Doc['parts'] | undefined,
): { readonly often: string; readonly seldom: string; readonly parts: Doc['parts'] } {
  const steady = Object.entries({ recent, days, schedules, spec });
  const parts = new Map(steady.map(([name, of]) => [name, partOf(of, known?.get(name))]));
  const texts = [...parts].map(([name, { text }]) => `"${name}":${text}`);
  return { often: `${JSON.stringify(rest).slice(0, -1)},`, seldom: `${texts.join(',')}}`, parts };
}

/** A list that grew by one is put together from what is known of the others. */
function partOf(of: object, known: Part | undefined): Part {
  if (known?.of === of) return known;
  if (!Array.isArray(of)) return { of, text: JSON.stringify(of), items: new Map() };
  const texts = of.map((one: object) => known?.items.get(one) ?? JSON.stringify(one));
  const items = new Map(of.map((one: object, i) => [one, texts[i] ?? '']));
  return { of, text: `[${texts.join(',')}]`, items };
}
