import { closeBackfill } from './backfills.ts';
import { merge } from './choose.ts';
import {
  draftOf,
  isFull,
  note,
  recordRange,
  set,
  type DecisionContext,
  type Draft,
} from './draft.ts';
import { specHash } from './ids.ts';
import { arm, cancelWaiting, endPause } from './plan.ts';
import type { JobRecord, ScheduleText, Spec, SpecRecord } from './records.ts';
import type { Refusal, Stepped } from './event.ts';
import { markCovered, undecided } from './undecided.ts';
import { moveWatermark } from './watermark.ts';

/** A job as a build defines it. */
export interface Definition extends ScheduleText {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
  /** Version of the time-zone data of the defining process, for the audit. */
  readonly zoneData: string;
}

export const definitionHash = ({ schedule, timeZone, spec }: Definition): string =>
  specHash([schedule, timeZone, spec]);

/**
 * Brings the record in line with a build's definition. All policies swap at once; a new schedule
 * names only what lies after now, and what fell due before is decided under the old one.
 */
export function define(
  record: JobRecord | undefined,
  definition: Definition,
  ctx: DecisionContext,
): Stepped {
  const hash = definitionHash(definition);
  if (record === undefined) return register(definition, hash, ctx);
  if (record.namespace !== definition.namespace) {
    return { kind: 'refused', why: 'other-namespace', runId: null };
  }
  const same = record.specHash === hash && record.retiredAt === null;
  if (same) return { kind: 'nothing' };

  const draft = draftOf(record);
  if (record.retiredAt !== null) comeBack(draft, ctx);
  const current = record.schedules.at(-1);
  const { schedule, timeZone, spec } = definition;
  if (current?.schedule !== schedule || current.timeZone !== timeZone) {
    const entry = { schedule, timeZone, from: ctx.now };
    set(draft, { schedules: [...draft.record.schedules, entry] });
    draft.specs.push(specRecord(definition, ctx));
  }
  const holder = Object.values(record.active)[0] ?? record.retries[0];
  const wasFull = isFull(record);
  set(draft, { spec, specHash: hash, build: ctx.build });
  if (wasFull && !isFull(draft.record) && holder !== undefined) {
    // More slots than before: what fell due until now found none free.
    const { runId, trigger } = holder;
    set(draft, { freeAt: ctx.now, freed: { runId, trigger } });
  }
  const detail = `definition of build ${ctx.build} in force`;
  note(draft, { action: 'define', by: null, job: record.name, runId: null, detail }, ctx);
  arm(draft, ctx);
  const next = { ...draft.record, rev: record.rev + 1 };
  const { runs, specs, actions } = draft;
  return { kind: 'write', record: next, runs, specs, actions, grant: undefined };
}

/** First registration: nothing before now was ever promised. */
function register(definition: Definition, hash: string, ctx: DecisionContext): Stepped {
  const { name, namespace, spec, schedule, timeZone } = definition;
  const entry = { schedule, timeZone, from: ctx.now };
  const draft = draftOf({
    name,
    // From the store's clock, so that a record made anew never repeats a revision or a token.
    rev: ctx.now,
    namespace,
    spec,
    schedules: [entry],
    specHash: hash,
    build: ctx.build,
    registeredAt: ctx.now,
    retiredAt: null,
    watermark: ctx.now,
    ledgerFrom: ctx.now,
    catchUpTo: null,
    freeAt: ctx.now,
    freed: null,
    paused: null,
    pauses: [],
    fence: ctx.now,
    active: {},
    retries: [],
    queue: [],
    backfill: null,
    nextActionAt: null,
    last: null,
    streak: 0,
    counters: {},
    recent: [],
  });
  arm(draft, ctx);
  const specs = [specRecord(definition, ctx)];
  const { record, runs, actions } = draft;
  return { kind: 'write', record, runs, specs, actions, grant: undefined };
}

const specRecord = (definition: Definition, { now, build }: DecisionContext): SpecRecord => ({
  job: definition.name,
  schedule: definition.schedule,
  timeZone: definition.timeZone,
  from: now,
  build,
  zoneData: definition.zoneData,
});

/** A job that left the code starts nothing more; its waiting runs end, its history stays. */
export function retire(draft: Draft, ctx: DecisionContext): Refusal | undefined {
  const { record } = draft;
  if (record.retiredAt !== null) return undefined;
  for (const { runId } of record.queue) cancelWaiting(draft, runId, 'queued', null, ctx);
  for (const { runId } of record.retries) cancelWaiting(draft, runId, 'retry_wait', null, ctx);
  closeBackfill(draft, record.backfill?.cursor ?? ctx.now, ctx);
  set(draft, { retiredAt: ctx.now });
  const detail = `no longer in the code of build ${ctx.build}`;
  note(draft, { action: 'retire', by: null, job: record.name, runId: null, detail }, ctx);
  arm(draft, ctx);
  return undefined;
}

/** What fell due while the job was not in the code is one missed range: no flood. */
function comeBack(draft: Draft, ctx: DecisionContext): void {
  endPause(draft, ctx);
  const { record } = draft;
  const { paused } = record;
  const span = paused === null ? [] : [{ from: paused.at, to: ctx.now }];
  const pauses = [...record.pauses, ...span];
  const entries = markCovered(undecided({ ...record, pauses }, ctx.now), ctx.covered);
  const outage = { state: 'missed', reason: 'outage', cause: null } as const;
  const judged = entries.map((entry) => ({ entry, verdict: entry.verdict ?? outage }));
  for (const { entry, verdict } of merge(judged)) recordRange(draft, entry, verdict, ctx);
  moveWatermark(draft, Math.max(ctx.now, record.watermark));
  set(draft, { retiredAt: null, catchUpTo: null, freeAt: ctx.now });
}
