import { parentPort, workerData } from 'node:worker_threads';
import { live, type Lived } from './life.ts';

/** What a worker is to do: every `step`th seed from `first` on, `count` in all. */
export interface Share {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What a worker tells now and then: of the lives since it told last. */
export interface Report {
  readonly lives: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly failed: readonly { readonly seed: string; readonly violation: string }[];
}

const AT_ONCE = 25;

const { first, step, count }: Share = workerData;
let lived: Lived[] = [];
for (let i = 0; i < count; i++) {
  lived.push(await live(String(first + i * step)));
  if (lived.length < AT_ONCE && i < count - 1) continue;
  parentPort?.postMessage(reportOf(lived));
  lived = [];
}

function reportOf(lives: readonly Lived[]): Report {
  const counts = new Map<string, number>();
  for (const life of lives) {
    for (const [what, n] of life.counts) counts.set(what, (counts.get(what) ?? 0) + n);
  }
  const failed = lives.flatMap(({ seed, violation }) =>
    violation === undefined ? [] : [{ seed, violation }],
  );
  const sum = (of: (life: Lived) => number): number => lives.reduce((all, one) => all + of(one), 0);
  const simulatedMs = sum((life) => life.simulatedMs);
  return { lives: lives.length, simulatedMs, events: sum((life) => life.events), counts, failed };
}
