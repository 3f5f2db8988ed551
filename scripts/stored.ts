import { existsSync } from 'node:fs';
import type { Config } from '../server/config.ts';
import { summarise } from '../server/core/summary.ts';
import { cancelRun, freeRun, rewindJob, type Changed } from '../server/core/run-now.ts';
import { registerJobs } from '../server/core/register.ts';
import type { LogLine, Run } from '../server/core/records.ts';
import { isRunState, RUN_STATES } from '../server/core/run.ts';
import { isoInstant, type Instant } from '../server/core/time.ts';
import { loadRegistry } from '../server/registry.ts';
import { systemClock } from '../server/process/clock.ts';
import { readLogView } from '../server/http/log-view.ts';
import { refusal } from '../server/http/api.ts';
import { SqliteStore } from '../server/stores/sqlite.ts';
import type { Command, Options } from './commands.ts';
import { BadUsage, one, whole } from './usage.ts';
import { openForScript } from './open.ts';
import { depsForScript } from './deps.ts';
import { table } from './table.ts';
import { visible } from '../views/html.ts';

/** Commands that look into the store itself, whether or not a server runs. */

export const showRuns: Command = async ([job, ...more]: string[], options: Options) => {
  if (more.length > 0) throw new BadUsage(`expected one job at most, got ${more.join(' ')} too`);
  const { state } = options;
  if (state !== undefined && !isRunState(state)) {
    throw new BadUsage(`--state is "${state}"; right would be one of ${RUN_STATES.join(', ')}`);
  }
  const { store } = await openForScript();
  try {
    if (job !== undefined && (await store.read(job)).version === undefined) {
      throw new BadUsage(`there is no job "${job}" in the store`);
    }
    const { runs } = await store.listRuns({
      limit: whole(options.limit, 'limit', 20, 500),
      ...(job !== undefined && { job }),
      ...(state !== undefined && { states: [state] }),
    });
    const rows = runs.map((run) => [
      when(run.at),
      run.state,
      run.trigger,
      took(run),
      said(run),
      run.id,
    ]);
    console.log(table(['AT', 'STATE', 'TRIGGER', 'TOOK', 'WHAT', 'RUN'], rows));
    return 0;
  } finally {
    await store.close();
  }
};

const when = (at: Instant | null): string => (at === null ? '-' : isoInstant(at));

const took = ({ startedAt, endedAt }: Run): string =>
  startedAt === null || endedAt === null ? '-' : `${endedAt - startedAt} ms`;

function said({ range, reason, error, attempts }: Run): string {
  if (range !== null) return `${range.count} × ${reason ?? ''}`;
  if (error !== null) return visible((error.message.split('\n')[0] ?? '').slice(0, 60));
  return attempts.length > 1 ? `${attempts.length} attempts` : '-';
}

export const showRun: Command = async (words) => {
  const id = one(words, 'a run id');
  const { store } = await openForScript();
  try {
    const run = await store.getRun(id);
    if (run === undefined) throw new BadUsage(`there is no run "${id}"`);
    for (const line of facts(run)) console.log(visible(line));
    const { entries } = await readLogView(store, id, 10_000);
    for (const entry of entries) {
      if (entry.kind === 'dropped') console.log(`  … ${entry.count} older lines were dropped`);
      else console.log(visible(logLine(entry.line)));
    }
    return 0;
  } finally {
    await store.close();
  }
};

const logLine = ({ at, level, text, fields }: LogLine): string =>
  `  ${isoInstant(at)} ${level.padEnd(5)} ${text}${fields === null ? '' : ` ${fields}`}`;

function facts(run: Run): string[] {
  const lines = [
    `run        ${run.id}`,
    `state      ${run.state}${run.reason === null ? '' : ` (${run.reason})`}`,
    `trigger    ${run.trigger}`,
    `scheduled  ${when(run.scheduledAt)}`,
    `started    ${when(run.startedAt)}`,
    `ended      ${when(run.endedAt)}`,
  ];
  if (run.range !== null) {
    const { from, to, count, atLeast } = run.range;
    lines.push(`range      ${atLeast ? 'at least ' : ''}${count}, ${when(from)} to ${when(to)}`);
  }
  if (run.cause !== null) lines.push(`cause      ${run.cause}`);
  if (run.input !== null) lines.push(`input      ${run.input}`);
  if (run.output !== null) lines.push(`output     ${run.output}`);
  if (run.error !== null) lines.push(`error      ${run.error.stack ?? run.error.message}`);
  for (const { text } of run.notes) lines.push(`note       ${text}`);
  for (const { n, outcome, owner, startedAt } of run.attempts) {
    lines.push(`attempt ${n}  ${outcome ?? 'running'} on ${owner}, started ${when(startedAt)}`);
  }
  return lines;
}

/**
 * Cancels a run, or takes its slot; by way of the store, so that it works on any instance's run.
 */
export async function changeRun(how: 'cancel' | 'free', runId: string): Promise<number> {
  const { config, store } = await openForScript();
  try {
    const deps = depsForScript(config, store, new Map());
    const by = process.env['USER'] ?? 'command line';
    const change = how === 'cancel' ? cancelRun : freeRun;
    const changed: Changed = await change(deps, runId, by);
    if (changed.kind === 'refused' && changed.why === 'no-such-job') {
      throw new BadUsage(`there is no run "${runId}"`);
    }
    if (changed.kind === 'refused') throw new BadUsage(refusal(changed).message);
    if (changed.kind === 'unknown' || changed.kind === 'unavailable') {
      throw new Error('the store does not answer');
    }
    console.log(how === 'cancel' ? `${runId} was asked to stop` : `the slot of ${runId} is free`);
    return 0;
  } finally {
    await store.close();
  }
}

export const adopt: Command = async () => {
  const { config, store } = await openForScript();
  try {
    const deps = depsForScript(config, store, await loadRegistry(config, systemClock));
    await registerJobs(deps, { adopt: true, check: true });
    console.log(`the definitions of build ${config.build} hold from now on`);
    return 0;
  } finally {
    await store.close();
  }
};

export const resetClock: Command = async () => {
  const { config, store } = await openForScript();
  try {
    if (!(store instanceof SqliteStore)) {
      throw new BadUsage("Firestore's clock is never set: there is nothing to accept");
    }
    const by = process.env['USER'] ?? 'command line';
    await store.resetClock(by);
    console.log(`the clock is accepted as it is: ${isoInstant(Date.now())}`);
    const deps = depsForScript(config, store, new Map());
    const { storeNow } = await store.time();
    for (const { name, record } of await store.listJobs({ limit: 20_000 })) {
      if (record === undefined || record.watermark <= storeNow) continue;
      await rewindJob(deps, name, by);
      console.log(`${name} goes on from now: it had been decided up to the future`);
    }
    return 0;
  } finally {
    await store.close();
  }
};

/** The state of each job in the store, by name; none where no server has made a store yet. */
export async function statesIn(config: Config): Promise<ReadonlyMap<string, string>> {
  if (config.store === 'sqlite' && !existsSync(config.db)) return new Map();
  const { store } = await openForScript();
  try {
    const { storeNow } = await store.time();
    const jobs = await store.listJobs({ limit: 20_000 });
    return new Map(jobs.map((job) => [job.name, summarise(job, undefined, storeNow).state]));
  } finally {
    await store.close();
  }
}
