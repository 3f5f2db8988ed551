import { compactInstant, type Instant } from '../server/core/time.ts';
import type { Ended } from '../server/core/timeline.ts';
import { LETTERS, nameOfRun } from './packed.ts';

const N = '([0-9a-z]+)';
const OUTCOME = new RegExp(
  `([A-Z])([0-9a-z]*)(?:@(-?[0-9a-z]+))?(?:\\+${N})?(?:~${N})?(?:\\^${N})?(?:!${N})?`,
  'g',
);

/** What `packOutcomes` (packed.ts) was given, as far as it can be told from its text again. */
export function unpackOutcomes(job: string, packed: string): Ended[] {
  const all: Ended[] = [];
  let [second, step] = [0, 0];
  for (const [, letter = '', ms = '', away, back, late, gap, name] of packed.matchAll(OUTCOME)) {
    if (away !== undefined) step = numberOf(away);
    second += step;
    const [state, reason] = LETTERS[letter] ?? (['skipped', null] as const);
    const at = second * 1000;
    const known = { state, error: null, lateMs: numberOf(late) * 1000 };
    const length = numberOf(ms);
    if (reason !== null || back !== undefined) {
      const from = at - numberOf(back) * 1000;
      const id = `${job}@${compactInstant(from)}..${compactInstant(at)}~${reason ?? ''}`;
      const stretch = { reason, count: from === at ? 1 : null, atLeast: false };
      all.push({ ...known, ...named(id), from, to: at, stretch });
    } else if (name !== undefined) {
      all.push({ ...known, id: null, short: name, from: at - length, to: at, stretch: null });
    } else {
      const id = `${job}@${compactInstant(at)}`;
      const to = at + known.lateMs + numberOf(gap) * 1000 + length;
      all.push({ ...known, ...named(id), from: to - length, to, stretch: null });
    }
  }
  return all;
}

const named = (id: string): Pick<Ended, 'id' | 'short'> => ({ id, short: nameOfRun(id) });

const numberOf = (base36: string | undefined): Instant =>
  base36 === undefined || base36 === '' ? 0 : parseInt(base36, 36);
