import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildService, copyService, HELLO, start, UNCACHED } from './cold-start/starting.ts';
import type { Place, Starting } from './cold-start/starting.ts';
import { median } from './measure.ts';
import type { Bar, Cell, Result } from './section.ts';

/*
 * From the start of the process until it listens, with 200 jobs: what a restart takes. Beside it, in
 * turns, a bare Express. Started as a deployment does it, which was compiled ahead, and as
 * `npm start` does it a second time, which has what the first one compiled; and without either. The
 * store is SQLite, and knows the jobs already; or it is a new one, where each has to be put on
 * record.
 */

const ROUNDS = 9;
const TIMES = 2;

interface Variant extends Omit<Starting, 'env'> {
  /** For each start anew, as some want a new store. */
  readonly env: () => Readonly<Record<string, string>>;
  /** The Express that it is measured against; undefined for one of these. */
  readonly against?: string;
  readonly barred?: boolean;
}

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  try {
    say('building as for a deployment');
    const built = buildService(join(folder, 'built'));
    const variants = variantsIn(folder, built, copyService(join(folder, 'copied')));
    say('starting each once, so that stores are made and modules compiled');
    for (const variant of variants) await listening(variant);
    const found = new Map<string, number[]>(variants.map(({ what }) => [what, []]));
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      for (const variant of variants) found.get(variant.what)?.push(await listening(variant));
    }
    return resultOf(variants, found);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function variantsIn(folder: string, built: Place, copied: Place): Variant[] {
  const [cached, uncached] = ['bare Express', 'bare Express, uncached'];
  let stores = 0;
  const known = (): string => join(folder, 'known.db');
  const fresh = (): string => join(folder, `${(stores += 1)}.db`);
  const ours = (
    what: string,
    place: Place,
    more: { db: () => string; env?: typeof UNCACHED; against?: string; barred?: boolean },
  ): Variant => ({
    against: cached,
    ...more,
    what,
    args: [place.main],
    env: () => ({ ...place.env, ...more.env, PUNCTUAL_DB: more.db() }),
  });
  const compiled = { NODE_COMPILE_CACHE: join(folder, 'cache') };
  return [
    { what: cached, args: [HELLO], env: () => compiled },
    ours('as deployed', built, { db: known, barred: true }),
    ours('npm start, again', copied, { db: known, barred: true }),
    ours('as deployed, new store', built, { db: fresh }),
    { what: uncached, args: [HELLO], env: () => UNCACHED },
    ours('uncached', built, { db: known, env: UNCACHED, against: uncached }),
  ];
}

/** Starts a process, gives the milliseconds until it listens, and stops it. */
async function listening({ what, args, env }: Variant): Promise<number> {
  const { from, listeningAt, end } = await start({ what, args, env: env() });
  // Not killed: what was compiled is kept at its end.
  await end('SIGTERM');
  return listeningAt - from;
}

/** What is compared is so within its round: a machine may be faster in one than in another. */
function resultOf(
  variants: readonly Variant[],
  found: ReadonlyMap<string, readonly number[]>,
): Result {
  const of = (what: string): readonly number[] => found.get(what) ?? [];
  const times = ({ what, against = what }: Variant): number =>
    median(of(what).map((ms, round) => ms / (of(against)[round] ?? NaN)));
  const rows = variants.map((variant): Cell[] => [
    variant.what,
    median(of(variant.what)),
    variant.against === undefined ? '' : times(variant),
    variant.against ?? '',
  ]);
  const bars = variants
    .filter(({ barred }) => barred)
    .map((variant): Bar => {
      const { what, against } = variant;
      const bound = { under: TIMES };
      return { what: `${what}, of ${against}`, measured: times(variant), unit: 'times', bound };
    });
  const columns = ['from the start until it listens', 'ms', 'times', 'of'];
  return { tables: [{ title: 'Start-up with 200 jobs', columns, rows }], bars };
}
