import { visible } from '../../views/html.ts';
import * as fields from './fields.ts';
import type { PageName, Shown, Text } from './fields.ts';

/** What a schema of a job says, and whoever judges an input by it. */
const SCHEMA = {
  property: { job: 150 },
  title: { job: 150 },
  description: { job: 150 },
  choice: { job: 150 },
  preset: { job: 50 },
  vendor: { job: 900 },
  issue: { refused: 900 },
} as const satisfies Readonly<Record<string, Shown>>;

/** What else a process knows of itself and of its store. */
const PLACE = { place: { process: 900 }, trouble: { process: 900 } } as const;

const TABLES = {
  RUN: fields.RUN,
  LOG_CHUNK: fields.LOG_CHUNK,
  JOB_RECORD: fields.JOB_RECORD,
  LOADED: fields.LOADED,
  STORE_TIME: fields.STORE_TIME,
  ACTION: fields.ACTION,
  SPEC: fields.SPEC,
  INSTANCE: fields.INSTANCE,
  BUILD: fields.BUILD,
  SCHEDULER: fields.SCHEDULER,
  SELF_AUDIT: fields.SELF_AUDIT,
  JOB: fields.JOB,
  PROCESS: fields.PROCESS,
  SCHEMA,
  PLACE,
} as const;

export type TableName = keyof typeof TABLES;

export const tableOf = (name: TableName): Readonly<Record<string, Shown>> => TABLES[name];

/** All but some of a table's texts. */
export const without = (
  name: TableName,
  ...paths: readonly string[]
): Readonly<Record<string, Shown>> =>
  Object.fromEntries(Object.entries(TABLES[name]).filter(([path]) => !paths.includes(path)));

/** Every field has a number, in the order of the tables. */
const numbers = new Map<string, number>(
  Object.entries(TABLES)
    .flatMap(([table, all]) => Object.keys(all).map((path) => `${table} ${path}`))
    .map((field, i) => [field, i]),
);

/** Some are JSON text, of which a page shows what it says. */
const JSON_TEXTS: ReadonlySet<string> = new Set([
  'RUN input',
  'RUN output',
  'RUN lateResult.output',
]);

/** What a store finds things by: a database can't, by half a character. */
const KEYS: ReadonlySet<string> = new Set([
  'JOB_RECORD name',
  'RUN id',
  'RUN job',
  'LOG_CHUNK runId',
  'ACTION id',
  'ACTION job',
]);

/**
 * Which text is put where: the record of number `k` has the text of number `k` in its first field
 * and the ones after it in the others, so that over all records each text stands in each field,
 * and beside its neighbours.
 */
export class Planting {
  readonly all: readonly string[];

  constructor(all: readonly string[]) {
    this.all = all;
  }

  text(table: TableName, path: string, k: number): string {
    const number = numbers.get(`${table} ${path}`);
    if (number === undefined) throw new Error(`no table has ${table} ${path}`);
    const text = this.all[(k + number) % this.all.length] ?? '';
    return KEYS.has(`${table} ${path}`) ? text.toWellFormed() : text;
  }

  of(table: TableName, k: number): Text {
    return (path) => {
      const text = this.text(table, path, k);
      return JSON_TEXTS.has(`${table} ${path}`) ? JSON.stringify({ [text]: [text] }) : text;
    };
  }

  /** What a page of number `k` must have in sight, by the field that has it. */
  shownOn(page: PageName, k: number): readonly Expected[] {
    return Object.entries(TABLES).flatMap(([table, all]) =>
      Object.entries<Shown>(all).flatMap(([path, shown]) => {
        const most = shown[page];
        if (most === undefined) return [];
        const text = this.text(table as TableName, path, k);
        return [{ field: `${table} ${path}`, text: toSee(`${table} ${path}`, text, most) }];
      }),
    );
  }
}

export interface Expected {
  readonly field: string;
  /** As it stands in the page, with its blanks made one. */
  readonly text: string;
}

/** The least that a field of a page lets one see of a text. */
function toSee(field: string, text: string, most: number): string {
  if (JSON_TEXTS.has(field) || field === 'LOADED problem') {
    return oneBlank(visible(cut(JSON.stringify(text).slice(1, -1), most)));
  }
  // A field for a line or so shows no more than the first.
  const said = most < 200 ? (text.trimStart().split('\n', 1)[0] ?? '').trimEnd() : text;
  return oneBlank(visible(cut(said, most)));
}

/** Not within a pair. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, '');

export const oneBlank = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
