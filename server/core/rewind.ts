import { note, set, type DecisionContext, type Draft } from './draft.ts';
import { arm } from './plan.ts';
import { isoInstant, type Instant } from './time.ts';

/**
 * An operator reset the store's clock to an earlier time than it had given out, so the record
 * speaks of a future that has not come. The one event that takes a watermark back: to `to`, with
 * everything else that lies ahead of now. Runs that are on record for what comes again are passed
 * over; ranges that reach into the future must have been deleted before. A living lease gets one
 * more length.
 */
export function rewind(
  draft: Draft,
  { to, by }: { readonly to: Instant; readonly by: string | null },
  ctx: DecisionContext,
): undefined {
  const { record } = draft;
  const back = (at: Instant): Instant => Math.min(at, ctx.now);
  const watermark = Math.min(record.watermark, to);
  if (watermark === record.watermark && record.watermark <= ctx.now) return;
  const { paused, backfill, backfills = [] } = record;
  const schedules = record.schedules.map((entry, i) => ({
    ...entry,
    from: i === 0 ? Math.min(entry.from, watermark) : back(entry.from),
  }));
  for (const [i, entry] of schedules.entries()) {
    if (entry.from === record.schedules[i]?.from) continue;
    draft.specs.push({ ...entry, job: record.name, build: ctx.build, zoneData: 'unknown' });
  }
  set(draft, {
    watermark,
    schedules,
    registeredAt: back(record.registeredAt),
    ledgerFrom: Math.min(record.ledgerFrom, watermark),
    freeAt: Math.min(record.freeAt, watermark),
    catchUpTo: null,
    paused: paused && { ...paused, at: back(paused.at) },
    pauses: record.pauses.filter((pause) => pause.to <= ctx.now),
    active: Object.fromEntries(
      Object.entries(record.active).map(([id, lease]) => [
        id,
        { ...lease, startedAt: back(lease.startedAt), renewedAt: back(lease.renewedAt) },
      ]),
    ),
    retries: record.retries.map((retry) => ({
      ...retry,
      notBefore: back(retry.notBefore),
      since: back(retry.since),
    })),
    queue: record.queue.map((queued) => ({ ...queued, since: back(queued.since) })),
    backfill: backfill && { ...backfill, since: back(backfill.since) },
    backfills: backfills.map((one) => ({ ...one, endedAt: back(one.endedAt) })),
  });
  const was = isoInstant(record.watermark);
  const detail = `the clock was reset; the watermark was ${was}`;
  const change = {
    before: `decided up to ${was}`,
    after: `decided up to ${isoInstant(watermark)}`,
  };
  note(draft, { action: 'rewind', by, job: record.name, runId: null, detail, ...change }, ctx);
  arm(draft, ctx);
}
