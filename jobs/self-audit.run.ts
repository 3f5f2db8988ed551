import type { InferOutput } from 'valibot';
import { auditStore } from '../server/core/audit.ts';
import type { JobContext } from '../server/core/job.ts';
import { keepSelfAudit, type SelfAudit } from '../server/core/self-audit.ts';
import { isBilled } from '../server/core/store.ts';
import { isoInstant } from '../server/core/time.ts';
import { withStore } from './store.ts';
import type { selfAuditInput } from './self-audit.ts';

const DAY_MS = 86_400_000;
const BILLED_DAYS = 2;
/** So many gaps are named in the error; the rest stand with the result. */
const NAMED = 3;

/** What it finds is kept in the store, too; gaps make the run a failure that nobody overlooks. */
export default async function audit(
  context: JobContext<InferOutput<typeof selfAuditInput>>,
): Promise<SelfAudit> {
  const { input, log } = context;
  return await withStore(log, async ({ store, config }) => {
    const days = input.days ?? (isBilled(store) ? BILLED_DAYS : undefined);
    const { storeNow: at } = await store.time();
    const since = days === undefined ? undefined : at - days * DAY_MS;
    const audited = await auditStore(store, since === undefined ? {} : { since });
    const found = { audited, at, lookedBackTo: since ?? null };
    const kept = await keepSelfAudit(store, config.namespace, found);
    const { jobs, occurrences, runs, ranges, gaps, firstGaps } = kept;
    const back = since === undefined ? '' : ` since ${isoInstant(since)}`;
    log(`${jobs} jobs, ${occurrences} occurrences${back} in ${runs} runs and ${ranges} ranges`);
    for (const line of firstGaps) log.error(`gap: ${line}`);
    if (gaps === 0) return kept;
    const more = gaps > NAMED ? `; and ${gaps - NAMED} more` : '';
    throw new Error(`${gaps} unexplained gaps: ${firstGaps.slice(0, NAMED).join('; ')}${more}`);
  });
}
