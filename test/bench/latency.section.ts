import { calling } from './latency/calling.ts';
import { onTime } from './latency/schedules.ts';
import type { Result } from './section.ts';

/** How soon a handler begins: after the call that asks for it, and after its second has come. */
export async function measure(say: (doing: string) => void): Promise<Result> {
  const called = await calling(say);
  const scheduled = await onTime(say);
  return {
    tables: [called.table, scheduled.table],
    bars: [...called.bars, ...scheduled.bars],
  };
}
