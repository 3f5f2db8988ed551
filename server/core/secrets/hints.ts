import { isPart } from '../json-schema.ts';

/** A schema that has more in it than this is not looked through. */
const LOOK_LIMIT = 50_000;

/**
 * Whether something in a schema that does not describe itself looks as if it were marked as secret:
 * the metadata of valibot's parts, and what zod's `meta()` gives. Never throws.
 */
export function hintsAtSecret(schema: object): boolean {
  const open: unknown[] = [schema];
  const seen = new Set<unknown>();
  while (open.length > 0 && seen.size < LOOK_LIMIT) {
    const at = open.pop();
    if (typeof at !== 'object' || at === null || seen.has(at)) continue;
    seen.add(at);
    const parts = partsOf(at);
    const { metadata } = parts;
    if ([metadata, metaOf(at)].some(saysSecret)) return true;
    open.push(...Object.values(parts));
  }
  return false;
}

const saysSecret = (meta: unknown): boolean =>
  isPart(meta) &&
  (meta['secret'] === true || meta['writeOnly'] === true || meta['format'] === 'password');

function partsOf(at: object): Readonly<Record<string, unknown>> {
  try {
    return at instanceof Map ? Object.fromEntries(at) : { ...at };
  } catch {
    return {};
  }
}

function metaOf(at: object): unknown {
  try {
    const meta: unknown = Reflect.get(at, 'meta');
    return typeof meta === 'function' ? Reflect.apply(meta, at, []) : meta;
  } catch {
    return undefined;
  }
}
