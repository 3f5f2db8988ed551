import { blankRun } from '../core/blank-run.ts';
import { actionFrom, chunkFrom, isRun } from '../core/check-history.ts';
import { checkJobRecord } from '../core/check-record.ts';
import type { ActionRecord, JobRecord, LogChunk, Run, SpecRecord } from '../core/records.ts';
import { isRunState } from '../core/run.ts';
import { stampJob, stampRun } from '../core/stamp.ts';
import type { LoadedJob, Version } from '../core/store.ts';
import { isInstant } from '../core/time.ts';
import type { Document, Timestamp } from './firestore-types.ts';
import { decode, encode, listOf, stampFrom, stampText, type Encoded } from './firestore-values.ts';

/*
 * What stands in each document. Records are written field by field, so that a person finds in the
 * console what the code calls by the same names, and so that a run's fields can be written one by
 * one. No text of a user's becomes a field's name.
 *
 *   jobs/{name}                 the job's record, with `changedAt` and, set aside, `problem`
 *   runs/{id}                   begins with the job's name: jobs do not crowd into one place
 *   logs/{run id}/chunks/{n}    the lines as one JSON text
 *   specs/{job}/changes/{from}, actions/{id}, meta/{key}
 */

/** Stands where the server puts the time of the request. */
const REQUEST_TIME = NaN;

/** A version is the revision, so that the next is another, and the time of the write. */
export const versionOf = (rev: number, updateTime: Timestamp): Version =>
  `${rev} ${stampText(updateTime)}`;

/** What a version was made of; undefined for one that this store did not give. */
export function readVersion(version: Version) {
  const [rev = '', stamp = ''] = version.split(' ');
  const updateTime = stampFrom(stamp);
  return updateTime === undefined ? undefined : { rev: Number(rev), updateTime };
}

export const encodeJob = (record: JobRecord, rev: number): Encoded =>
  encode({ ...stampJob({ ...record, rev }, REQUEST_TIME), problem: null, changedAt: REQUEST_TIME });

/** The fields that a quarantine changes. */
export const encodeAside = (rev: number, until: number, problem: string): Encoded =>
  encode({ rev, nextActionAt: until, problem, changedAt: REQUEST_TIME });

const JOB_LISTS = ['schedules', 'pauses', 'retries', 'queue', 'recent', 'days'] as const;

/** A job as stored; one whose record was damaged comes with the problem instead. */
export function jobOf(document: Document): LoadedJob {
  const name = idOf(document);
  const { problem: aside, changedAt: _, ...stored } = decode(document.fields);
  for (const field of JOB_LISTS) stored[field] = listOf(stored[field]);
  const rev = typeof stored['rev'] === 'number' ? stored['rev'] : 0;
  const version = versionOf(rev, document.updateTime ?? {});
  const setAside = typeof aside === 'string' ? aside : undefined;
  const checked = checkJobRecord(present(stored));
  const problem =
    'problem' in checked
      ? checked.problem
      : checked.record.name !== name
        ? `name is ${JSON.stringify(checked.record.name)}, not "${name}" as its document's`
        : undefined;
  if ('problem' in checked || problem !== undefined) {
    return { name, version, record: undefined, problem, setAside };
  }
  return { name, version, record: checked.record, problem, setAside };
}

/** A list that is not there must be missed, not found to be undefined. */
const present = (stored: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));

/** When a job is due, also where its record can't be used. Documents without it are not found. */
export const dueAt = ({ fields }: Document): number => {
  const { at } = decode({ at: fields?.['nextActionAt'] ?? {} });
  return typeof at === 'number' ? at : Infinity;
};

/** A run, or some fields of one. */
export const encodeRun = (run: Partial<Run>): Encoded => encode(stampRun(run, REQUEST_TIME));

export function runOf(document: Document): Run {
  const stored = decode(document.fields);
  for (const field of ['attempts', 'notes'] as const) stored[field] = listOf(stored[field]);
  const run = { ...stored, id: idOf(document) };
  return isRun(run) ? run : damagedRun(idOf(document), stored);
}

function damagedRun(id: string, { job, state, at }: Record<string, unknown>): Run {
  const now = isInstant(at) ? at : 0;
  const message = `the stored record of run ${id} is damaged; only its name is left`;
  return {
    ...blankRun(typeof job === 'string' ? job : '', id, { now, build: '' }),
    state: typeof state === 'string' && isRunState(state) ? state : 'failed',
    createdAt: now,
    error: { name: 'DamagedRecord', message, stack: null },
  };
}

/** Lines are JSON text: there are thousands, and nobody asks for one by its fields. */
export const encodeChunk = (chunk: LogChunk): Encoded =>
  encode({ ...chunk, lines: JSON.stringify(chunk.lines) });

export function chunkOf(document: Document): LogChunk {
  const { lines, ...rest } = decode(document.fields);
  const [n, runId = ''] = [idOf(document), (document.name ?? '').split('/').at(-3)];
  return chunkFrom(present({ ...rest, lines: parsed(String(lines)) }), { runId, n: Number(n) });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For what this store wrote itself: the one place where a type is taken on trust. */
export const specOf = (document: Document): SpecRecord =>
  trusted<SpecRecord>(decode(document.fields));

export function actionOf(document: Document): ActionRecord {
  const stored = present(decode(document.fields));
  const { at } = stored;
  return actionFrom(stored, { id: idOf(document), at: isInstant(at) ? at : 0 });
}

const trusted = <Type>(value: object): Type => JSON.parse(JSON.stringify(value));

/** Numbers as ids in the order of their size. */
export const padded = (n: number): string => String(n).padStart(16, '0');

export const idOf = ({ name }: Document): string => (name ?? '').split('/').at(-1) ?? '';
