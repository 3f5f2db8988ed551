import type { Random } from '../simulation/random.ts';
import { PASS, type Fate } from './proxy.ts';

type Kind = Fate['kind'];
type Rates = Readonly<Partial<Record<Kind, number>>>;

/** What may become of a commit, and of a read: what is worse comes less often. */
export const COMMITS: Rates = {
  aborted: 0.06,
  unavailable: 0.05,
  'applied, but unavailable': 0.05,
  'reply reset': 0.05,
  'reply lost': 0.04,
  'request lost': 0.03,
  late: 0.04,
  'connection cut': 0.01,
  'cut off': 0.008,
  delay: 0.08,
  'reply delayed': 0.08,
};
export const READS: Rates = {
  unavailable: 0.05,
  'reply cut short': 0.05,
  'reply lost': 0.02,
  'connection cut': 0.005,
  delay: 0.08,
  'reply delayed': 0.05,
};

/**
 * Draws the fate of each call. Each kind has a rate of its own, up to three times the usual one;
 * with `part` about half of the kinds do not come at all, so that none hides another.
 */
export function swarm(random: Random, { part }: { readonly part: boolean }) {
  const [commits, reads] = [COMMITS, READS].map((rates) => drawing(rates, random, part));
  const cutOffUntil = new Map<number, number>();
  return (method: string, connection: number): Fate => {
    const now = Date.now();
    if ((cutOffUntil.get(connection) ?? 0) > now) return { kind: 'cut off' };
    const writes = method === 'Commit';
    const kind = (writes ? commits : reads)?.() ?? 'pass';
    // What has become slow is more likely to break.
    const slow = writes && kind === 'reply delayed';
    const breaks = kind === 'cut off' || (slow && random.chance(0.1));
    if (breaks) cutOffUntil.set(connection, now + random.between(1000, 8000));
    // Servers here give a call 1 s.
    if (kind === 'late') return { kind, ms: random.between(1100, 5000) };
    if (kind === 'delay' || kind === 'reply delayed') {
      return { kind, ms: random.between(0, 900) };
    }
    return kind === 'pass' ? PASS : { kind };
  };
}

/** Draws kinds at rates of its own. Of those that come at all each comes soon, for once. */
function drawing(usual: Rates, random: Random, part: boolean): () => Kind {
  const rates = new Map<Kind, number>();
  for (const [kind, rate] of Object.entries(usual) as [Kind, number][]) {
    if (!part || random.chance(0.5)) rates.set(kind, rate * random.between(0.3, 3));
  }
  const owed = [...rates.keys()];
  return () => {
    if (owed.length > 0 && random.chance(0.3)) return owed.pop()!;
    let left = random.next();
    for (const [kind, rate] of rates) {
      left -= rate;
      if (left < 0) return kind;
    }
    return 'pass';
  };
}
