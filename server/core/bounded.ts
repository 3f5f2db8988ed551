/** What stands under `key`; made and kept when it is not there, dropping the oldest of `limit`. */
export function remember<Key, Value>(
  kept: Map<Key, Value>,
  limit: number,
  key: Key,
  make: (key: Key) => Value,
): Value {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const value = make(key);
  const [oldest] = kept.size >= limit ? kept.keys() : [];
  if (oldest !== undefined) kept.delete(oldest);
  kept.set(key, value);
  return value;
}
