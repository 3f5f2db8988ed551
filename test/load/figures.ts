/** The value below which the share `part` of all lie; NaN where there are none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `Math.max` takes no more arguments than the stack has room for. */
export const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), -Infinity);

/** The usual figures of a list of times, in a few words. */
export function spread(values: readonly number[]): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const parts = [quantile(values, 0.5), quantile(values, 0.99), largest(values)].map(ms);
  return `p50 ${parts[0]}, p99 ${parts[1]}, at most ${parts[2]} (${values.length} of them)`;
}

/** How much more there is at the end: the medians of the first and of the last few compared. */
export function growth(values: readonly number[]): number {
  const few = Math.max(1, Math.min(EDGE, Math.floor(values.length / 2)));
  return median(values.slice(-few)) - median(values.slice(0, few));
}

const EDGE = 5;

/** By how much it grows in an hour, by the straight line that fits all of it best. */
export function perHour(points: readonly (readonly [ms: number, value: number])[]): number {
  const mean = (at: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanMs, meanValue] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [ms, value] of points) {
    above += (ms - meanMs) * (value - meanValue);
    below += (ms - meanMs) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 3_600_000;
}
