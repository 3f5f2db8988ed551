/** What a store's calls were billed: documents read, written and deleted. */
export interface Cost {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
}

export const NO_COST: Cost = { reads: 0, writes: 0, deletes: 0 };

export const plus = (a: Cost, b: Partial<Cost>): Cost => ({
  reads: a.reads + (b.reads ?? 0),
  writes: a.writes + (b.writes ?? 0),
  deletes: a.deletes + (b.deletes ?? 0),
});
