import { reading } from './schedules/reading.ts';
import { searching } from './schedules/search.ts';
import { starting } from './schedules/starting.ts';
import { waking } from './schedules/waking.ts';
import type { Result } from './section.ts';

/** Schedules: how fast they are read and searched, and jobs decided about; what they keep. */
export function measure(say: (doing: string) => void): Promise<Result> {
  const start = starting(say);
  say('decisions about many jobs');
  const wake = waking();
  const search = searching(say);
  say('texts');
  const read = reading();
  const tables = [...search.tables, read, wake.table, start];
  return Promise.resolve({ tables, bars: [...search.bars, ...wake.bars] });
}
