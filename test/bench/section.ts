/** A figure, or in its place the reason why there is none. */
export type Cell = number | string;

/** Figures to be read together; `columns` name the cells of each row, from the left. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What a figure has to reach, or to stay under. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  readonly bound: { readonly atLeast: number } | { readonly under: number };
}

export const isMet = ({ measured, bound }: Bar): boolean =>
  'atLeast' in bound ? measured >= bound.atLeast : measured < bound.under;

export interface Result {
  readonly tables: readonly Table[];
  readonly bars: readonly Bar[];
}

/** What a file `<name>.section.ts` exports. It takes a while, so it says what it is about to do. */
export interface Section {
  measure(say: (doing: string) => void): Promise<Result>;
}
