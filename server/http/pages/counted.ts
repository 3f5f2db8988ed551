import type { Store } from '../../core/store.ts';

/** What was asked of a store: in how many calls, and how many records came of them. */
export interface Asked {
  readonly reads: number;
  readonly records: number;
}

/** A store that counts what is asked of it, for the one page that it is made for. */
export function counted(store: Store): { readonly store: Store; readonly asked: () => Asked } {
  let reads = 0;
  let records = 0;
  const count = (result: unknown): unknown => {
    records += recordsIn(result);
    return result;
  };
  const counting = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (FREE.has(name)) return value.bind(target);
      return async (...args: readonly unknown[]): Promise<unknown> => {
        reads += 1;
        return count(await Reflect.apply(value, target, args));
      };
    },
  });
  return { store: counting, asked: () => ({ reads, records }) };
}

/** What no record is read for. */
const FREE: ReadonlySet<string | symbol> = new Set(['time', 'costs', 'close']);

/** A list's length, a page's, or one; none where nothing was found. */
function recordsIn(result: unknown): number {
  if (result === undefined || result === null) return 0;
  if (Array.isArray(result)) return result.length;
  const list: unknown = Object.values(result).find(Array.isArray);
  const page = typeof result === 'object' && ('runs' in result || 'actions' in result);
  return page && Array.isArray(list) ? list.length : 1;
}
