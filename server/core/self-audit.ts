import { gapLine, type Audited } from './audit.ts';
import { changeMeta } from './meta.ts';
import type { Store } from './store.ts';
import { isInstant, type Instant } from './time.ts';

/** What the service's audit of itself last found, kept for people to see. */
export interface SelfAudit {
  readonly at: Instant;
  /** Occurrences after this were looked for; null for all that the ledgers cover. */
  readonly lookedBackTo: Instant | null;
  readonly jobs: number;
  readonly occurrences: number;
  /** Records that account for them. */
  readonly runs: number;
  readonly ranges: number;
  readonly gaps: number;
  /** The first of them, in words. */
  readonly firstGaps: readonly string[];
  /** Since when every audit found none; null when the last one found some. */
  readonly cleanSince: Instant | null;
}

const metaKey = (namespace: string): string => `audit:${namespace}`;
const LINES = 20;
const LINE_LIMIT = 300;

/** Undefined where none was kept, or somebody put something else there. */
export async function readSelfAudit(
  store: Pick<Store, 'readMeta'>,
  namespace: string,
): Promise<SelfAudit | undefined> {
  const found = await store.readMeta(metaKey(namespace));
  return selfAuditOf(found?.value);
}

/** Keeps what an audit found. Of several at once the one that ended last stands. */
export async function keepSelfAudit(
  store: Pick<Store, 'readMeta' | 'writeMeta' | 'time'>,
  namespace: string,
  { audited, ...when }: { readonly audited: Audited } & Pick<SelfAudit, 'at' | 'lookedBackTo'>,
): Promise<SelfAudit> {
  const { gaps, ...counts } = audited;
  const firstGaps = gaps.slice(0, LINES).map((gap) => gapLine(gap).slice(0, LINE_LIMIT));
  const kept = await changeMeta(store, metaKey(namespace), {
    next: (before) => {
      const since = Math.min(selfAuditOf(before)?.cleanSince ?? when.at, when.at);
      const cleanSince = gaps.length > 0 ? null : since;
      return { ...when, ...counts, gaps: gaps.length, firstGaps, cleanSince };
    },
  });
  if (kept !== undefined) return kept;
  throw new Error('what the audit found could not be kept: others keep writing there');
}

function selfAuditOf(value: unknown): SelfAudit | undefined {
  const kept: Record<string, unknown> = Object(value);
  const [at, jobs, occurrences, runs, ranges, gaps] = COUNTS.map((name) => numberOf(kept[name]));
  const all = { at, jobs, occurrences, runs, ranges, gaps };
  if (!areThere(all) || !isInstant(all.at)) return undefined;
  const lines: unknown[] = Array.isArray(kept['firstGaps']) ? kept['firstGaps'] : [];
  return {
    ...all,
    lookedBackTo: instantOf(kept['lookedBackTo']),
    firstGaps: lines.filter((line) => typeof line === 'string').slice(0, LINES),
    cleanSince: instantOf(kept['cleanSince']),
  };
}

const COUNTS = ['at', 'jobs', 'occurrences', 'runs', 'ranges', 'gaps'] as const;

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

const instantOf = (value: unknown): Instant | null => (isInstant(value) ? value : null);

type Counts = Record<(typeof COUNTS)[number], number>;

const areThere = (counts: Partial<Record<keyof Counts, number | undefined>>): counts is Counts =>
  COUNTS.every((name) => counts[name] !== undefined);
