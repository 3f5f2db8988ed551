import type { JobRecord, SpecRecord } from '../core/records.ts';
import type {
  DuePage,
  DueQuery,
  JobQuery,
  LoadedJob,
  QuarantineRequest,
  StoreTime,
  Version,
} from '../core/store.ts';
import type { Instant } from '../core/time.ts';
import { cursorOf, positionOf } from './cursor.ts';
import type { Connection, Row } from './sqlite-connection.ts';
import { bytesOfDoc, docOfJob } from './sqlite-doc.ts';
import { integerOf, JOB_COLUMNS, jobOf, textOf } from './sqlite-rows.ts';
import { rowLimit } from './sqlite-runs.ts';

/** The jobs of a database. Each function belongs inside a transaction. */

/** The job as it stands; one that is not there has no version. */
export function getJob(connection: Connection, name: string): LoadedJob {
  const known = knownJob(connection, name);
  if (known !== undefined) return known;
  const row = connection.get(`SELECT ${JOB_COLUMNS} FROM jobs WHERE name = ?`, name);
  if (row !== undefined) return kept(connection, row);
  return { name, version: undefined, record: undefined, problem: undefined, setAside: undefined };
}

function knownJob(connection: Connection, name: string): LoadedJob | undefined {
  const known = connection.kept.jobs.get(name);
  if (known === undefined) return undefined;
  const { record } = known;
  return { name, version: String(record.rev), record, problem: undefined, setAside: undefined };
}

/** Reads a row, and keeps what it says unless something is wrong with it. */
function kept(connection: Connection, row: Row): LoadedJob {
  const job = jobOf(row);
  const { name, record, setAside } = job;
  if (record === undefined || setAside !== undefined) return job;
  const bytes = bytesOfDoc(textOf(row, 'doc'), record.nextActionAt);
  connection.kept.jobs.put(name, { record, doc: { bytes } });
  return job;
}

interface Put {
  readonly name: string;
  /** Undefined: it must not be there. */
  readonly version: Version | undefined;
  readonly record: JobRecord;
  readonly now: Instant;
}

/** Writes a record under the version it was made from; undefined if that is not the current one. */
export function putJob(connection: Connection, put: Put): Version | undefined {
  const { name, version, record, now } = put;
  if (record.name !== name)
    throw new Error(`job "${name}" can't have the record of ${record.name}`);
  if (version === undefined) return createJob(connection, record, now);
  const before = versionNumber(version);
  // It grows even where the record's own revision does not: no two states share a version.
  const rev = Math.max(record.rev, before + 1);
  const current = record.rev === rev ? record : { ...record, rev };
  const doc = docOfJob(current, connection.kept.jobs.get(name)?.doc);
  const changed = connection.run(
    `UPDATE jobs SET rev = ?, next_action_at = ?, changed_at = ?, problem = NULL, doc = ?
     WHERE name = ? AND rev = ?`,
    rev,
    record.nextActionAt,
    now,
    doc.text,
    name,
    before,
  );
  if (changed !== 1) return undefined;
  const { bytes, parts } = doc;
  connection.kept.jobs.put(name, { record: current, doc: { bytes, parts } });
  return String(rev);
}

function createJob(connection: Connection, record: JobRecord, now: Instant): Version | undefined {
  const created = connection.run(
    `INSERT INTO jobs (name, rev, next_action_at, changed_at, doc) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name) DO NOTHING`,
    record.name,
    record.rev,
    record.nextActionAt,
    now,
    JSON.stringify(record),
  );
  return created === 1 ? String(record.rev) : undefined;
}

/** Moves the columns alone, whatever the record is; false if the version is not the current one. */
export function setAside(
  connection: Connection,
  { name, version, until, problem }: QuarantineRequest,
  now: Instant,
): boolean {
  const sql =
    'UPDATE jobs SET rev = rev + 1, next_action_at = ?, changed_at = ?, problem = ? ' +
    'WHERE name = ? AND rev = ?';
  connection.kept.jobs.drop(name);
  return connection.run(sql, until, now, problem, name, versionNumber(version)) === 1;
}

export function putSpec(connection: Connection, spec: SpecRecord): void {
  const sql = 'INSERT OR REPLACE INTO specs (job, from_at, doc) VALUES (?, ?, ?)';
  connection.run(sql, spec.job, spec.from, JSON.stringify(spec));
}

/** A version that this store did not give matches no row. */
export function versionNumber(version: Version): number {
  const rev = Number(version);
  return Number.isSafeInteger(rev) && String(rev) === version ? rev : Number.MIN_SAFE_INTEGER;
}

export function dueJobs(
  connection: Connection,
  { limit, aheadMs, cursor }: DueQuery,
  storeNow: Instant,
): Omit<DuePage, keyof StoreTime> {
  const start = { at: -Infinity, id: '' };
  const { at, id } = cursor === undefined ? start : positionOf(cursor, ['due']);
  const rows = connection.all(DUE, storeNow + aheadMs, at, id, rowLimit(limit) + 1);
  const page = rows.slice(0, rowLimit(limit));
  const last = rows.length > page.length ? page.at(-1) : undefined;
  const end = last && { at: integerOf(last, 'next_action_at'), id: textOf(last, 'name') };
  const items = page.map((row) => getJob(connection, textOf(row, 'name')));
  return { items, cursor: end && cursorOf(end, ['due']) };
}

/** By the index alone: most of those that are due are known, and need not be read. */
const DUE =
  'SELECT name, next_action_at FROM jobs ' +
  'WHERE next_action_at <= ? AND (next_action_at, name) > (?, ?) ' +
  'ORDER BY next_action_at, name LIMIT ?';

export function listJobs(connection: Connection, query: JobQuery): LoadedJob[] {
  const { limit, after, changedSince } = query;
  const rows =
    changedSince === undefined
      ? connection.all(BY_NAME, after ?? '', rowLimit(limit))
      : connection.all(CHANGED, changedSince, rowLimit(limit));
  return rows.map(jobOf);
}

const BY_NAME = `SELECT ${JOB_COLUMNS} FROM jobs WHERE name > ? ORDER BY name LIMIT ?`;

/** Two walks along one index: where no time of a write is known, the job may have changed. */
const CHANGED =
  `SELECT ${JOB_COLUMNS} FROM jobs WHERE changed_at IS NULL UNION ALL ` +
  `SELECT ${JOB_COLUMNS} FROM jobs WHERE changed_at > ? LIMIT ?`;

export function nextActionAfter(connection: Connection, after: Instant): Instant | null {
  const row = connection.get(
    'SELECT next_action_at FROM jobs WHERE next_action_at > ? ORDER BY next_action_at LIMIT 1',
    after,
  );
  return row ? integerOf(row, 'next_action_at') : null;
}
