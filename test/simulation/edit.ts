/** One change of the product's code that makes a fault of it. */
export interface Edit {
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly put: string;
}

export interface Planted {
  readonly name: string;
  /** Whose fault it is or was, or which bug of ours the simulation found. */
  readonly known: string;
  /** The seed that is known to find it. */
  readonly seed: number;
  readonly edits: readonly Edit[];
}

export const core = (file: string, find: string, put: string): Edit => ({
  file: `server/core/${file}`,
  find,
  put,
});

export const memory = (find: string, put: string): Edit => ({
  file: 'server/stores/memory.ts',
  find,
  put,
});
