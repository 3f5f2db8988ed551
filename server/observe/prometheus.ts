/** What Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats, 0.0.4. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

/** One figure: its name, what it says, and its values; one without a value is left out. */
export interface Metric {
  /** With its unit at the end: `_seconds`, `_bytes`; and `_total` for what only grows. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** How many values were at most so large. */
export interface Histogram {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  /** Each with all that the ones before it have; what is above the last is in `count` only. */
  readonly upTo: readonly { readonly bound: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

/** All figures as text. Names must be `[a-z_]+`; values of labels may be anything. */
export const prometheusText = (metrics: readonly (Metric | Histogram)[]): string =>
  metrics.map(linesOf).join('');

function linesOf(metric: Metric | Histogram): string {
  const { name, type } = metric;
  const lines =
    metric.type === 'histogram'
      ? histogramLines(metric)
      : metric.samples.map(({ labels, value }) => line(name, labels ?? {}, value));
  if (lines.length === 0) return '';
  const help = metric.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function histogramLines({ name, upTo, count, sum }: Histogram): string[] {
  const bucket = (le: string, value: number): string => line(`${name}_bucket`, { le }, value);
  return [
    ...upTo.map((one) => bucket(numberText(one.bound), one.count)),
    bucket('+Inf', count),
    line(`${name}_sum`, {}, sum),
    line(`${name}_count`, {}, count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  const shown = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
  return `${shown} ${numberText(value)}\n`;
}

/** Lone halves of characters can't be written in UTF-8, and would be replaced on the way anyhow. */
const escaped = (text: string): string =>
  text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
