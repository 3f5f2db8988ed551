import { items } from './answers.ts';
import type { Api, Request } from './api.ts';

/** The API gives no more at once. */
const PAGE = 500;

export interface Asked {
  readonly path: string;
  readonly query: NonNullable<Request['query']>;
  /** Under which name an answer has the list. */
  readonly list: string;
  readonly most: number;
}

/** A list over as many pages as it takes, and where it would go on. */
export async function pages<Item>(
  api: Api,
  { path, query, list, most }: Asked,
): Promise<{ readonly list: readonly Item[]; readonly next: string | null }> {
  const found: Item[] = [];
  let next: string | undefined;
  do {
    const limit = Math.min(PAGE, most - found.length);
    const asked = { path, query: { ...query, limit, cursor: next } };
    const { body } = await api.ask<{ next: string | null }>(asked);
    const page: readonly Item[] | undefined = Reflect.get(body, list);
    found.push(...items(page));
    next = typeof body.next === 'string' ? body.next : undefined;
  } while (next !== undefined && found.length < most);
  return { list: found, next: next ?? null };
}
