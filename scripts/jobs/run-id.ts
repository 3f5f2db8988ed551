import { BadUsage } from '../usage.ts';
import { text, type RunSummary } from './answers.ts';
import type { Api } from './api.ts';
import { STATUS, Trouble } from './command.ts';
import { pages } from './pages.ts';

/** Fewer could be anything. */
const LEAST = 4;
const LOOKED_THROUGH = 500;
const CUT = '…';

/**
 * A run's id as a terminal has room for it: of one that was drawn, its beginning, which tells when
 * it was and a little more.
 */
export const shownId = (id: string): string =>
  process.stdout.isTTY ? id.replace(/(?<=![a-z0-9]{10})[a-z0-9]{6,}$/, CUT) : id;

/**
 * Does something with a run that is called by its id, or by the beginning of one as `shownId` gives
 * it, which is enough where no other run begins like that.
 */
export async function withRun<Result>(
  api: Api,
  word: string,
  act: (id: string) => Promise<Result>,
): Promise<Result> {
  const begin = word.endsWith(CUT) ? word.slice(0, -CUT.length) : word;
  try {
    return await act(begin);
  } catch (error) {
    const isUnknown = error instanceof Trouble && error.status === STATUS.notThere;
    const id = isUnknown ? await begunBy(api, begin) : undefined;
    if (id === undefined) throw error;
    return await act(id);
  }
}

/** The one run that begins so, among the newest; undefined for none. */
async function begunBy(api: Api, begin: string): Promise<string | undefined> {
  const [, job, drawn = ''] = /^([a-z0-9-]+)!([a-z0-9]+)$/.exec(begin) ?? [];
  if (job === undefined || drawn.length < LEAST) return undefined;
  const found: string[] = [];
  for (const trigger of ['manual', 'backfill']) {
    const asked = { path: '/runs', query: { job, trigger }, list: 'runs', most: LOOKED_THROUGH };
    const { list } = await pages<RunSummary>(api, asked);
    found.push(...list.map(({ id }) => text(id)).filter((id) => id.startsWith(begin)));
  }
  if (found.length < 2) return found[0];
  throw new BadUsage(`${begin} could be any of ${found.slice(0, 5).join(', ')}`);
}
