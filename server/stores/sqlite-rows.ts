import { blankRun } from '../core/blank-run.ts';
import { actionFrom, chunkFrom, isRun } from '../core/check-history.ts';
import { checkJobRecord } from '../core/check-record.ts';
import type { ActionRecord, LogChunk, Run, Trigger } from '../core/records.ts';
import { isRunState } from '../core/run.ts';
import type { LoadedJob } from '../core/store.ts';
import { isInstant } from '../core/time.ts';
import type { Row } from './sqlite-connection.ts';

export const JOB_COLUMNS = 'name, rev, next_action_at, problem, doc';
export const RUN_COLUMNS = 'id, job, state, trigger, at, doc';

/** A column that the schema promises to be text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new TypeError(`column ${column} holds ${typeof value}, not text`);
}

/** A column that the schema promises to be a whole number. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw new TypeError(`column ${column} holds ${typeof value}, not a number`);
}

/**
 * What a column's JSON says. Only for what this store wrote itself and the schema keeps to JSON:
 * the one place where a type is taken on trust.
 */
export const docOf = <Type>(row: Row): Type => JSON.parse(textOf(row, 'doc'));

/** A job as stored; one whose record was damaged comes with the problem instead. */
export function jobOf(row: Row): LoadedJob {
  const name = textOf(row, 'name');
  const rev = integerOf(row, 'rev');
  const version = String(rev);
  const checked = checkText(textOf(row, 'doc'), name);
  const setAside = typeof row['problem'] === 'string' ? row['problem'] : undefined;
  if ('problem' in checked) {
    return { name, version, record: undefined, problem: checked.problem, setAside };
  }
  const { record } = checked;
  // A quarantine moves the columns alone; the next revision must go on from there.
  const at = row['next_action_at'];
  const nextActionAt = typeof at === 'number' ? at : null;
  const moved = record.rev !== rev || record.nextActionAt !== nextActionAt;
  const current = moved ? { ...record, rev, nextActionAt } : record;
  return { name, version, record: current, problem: undefined, setAside };
}

function checkText(doc: string, name: string): ReturnType<typeof checkJobRecord> {
  const value = parsed(doc);
  if (value instanceof Error) return { problem: `the record is not JSON: ${value.message}` };
  const checked = checkJobRecord(value);
  if ('problem' in checked || checked.record.name === name) return checked;
  return {
    problem: `name is ${JSON.stringify(checked.record.name)}, not "${name}" as its row says`,
  };
}

function parsed(doc: string): unknown {
  try {
    return JSON.parse(doc);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A run as stored; of one that was damaged, what the columns beside it still say. */
export function runOf(row: Row): Run {
  const value = parsed(textOf(row, 'doc'));
  return isRun(value) && value.id === row['id'] && value.at === row['at'] ? value : damagedRun(row);
}

function damagedRun(row: Row): Run {
  const state = textOf(row, 'state');
  const at = integerOf(row, 'at');
  const message = `the stored record of run ${textOf(row, 'id')} is damaged; only its row is left`;
  return {
    ...blankRun(textOf(row, 'job'), textOf(row, 'id'), { now: at, build: '' }),
    state: isRunState(state) ? state : 'failed',
    trigger: triggerOf(textOf(row, 'trigger')),
    createdAt: isInstant(at) ? at : 0,
    error: { name: 'DamagedRecord', message, stack: null },
  };
}

const triggerOf = (text: string): Trigger =>
  text === 'manual' || text === 'backfill' ? text : 'schedule';

/** An action as stored, of a row with its `id`, `at` and `doc`. */
export const actionOf = (row: Row): ActionRecord =>
  actionFrom(parsed(textOf(row, 'doc')), { id: textOf(row, 'id'), at: integerOf(row, 'at') });

/** A part of a log as stored, of a row with its `run_id`, `n` and `doc`. */
export const chunkOf = (row: Row): LogChunk =>
  chunkFrom(parsed(textOf(row, 'doc')), { runId: textOf(row, 'run_id'), n: integerOf(row, 'n') });
