/**
 * Compiles what a start and its first trigger need, and keeps it in .compile-cache, where each
 * start looks for it: for the build of what is deployed, with the very Node that is to run it.
 * Importing does it, as Node keeps a module as it is when just compiled. The list of jobs is
 * imported, too, but handlers are only compiled: those that lie beside it. Needs no network, no
 * credentials and no development packages.
 *
 *   npm run compile-cache
 *
 * Exits 1, and says why, where nothing could be kept.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CACHE_FOLDER, useCompileCache } from '../server/process/compile-cache.js';
import { usageOf } from './usage.ts';

/** Nobody answers there, and that is soon known. */
const NOWHERE = 'http://127.0.0.1:1/';
/** More files than jobs have in one folder. */
const FILES_LIMIT = 1000;

if (process.argv.length > 2) {
  console.log(usageOf('compile-cache.ts'));
  process.exit(process.argv[2] === '--help' ? 0 : 2);
}
const endedEarly = (): void => fail('a module of the jobs ended the process');
try {
  empty();
  useCompileCache();
  const folder = getCompileCacheDir() ?? '';
  if (dirname(folder) !== CACHE_FOLDER) {
    const not = 'NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE must not be set';
    throw new Error(`Node keeps nothing in ${CACHE_FOLDER}: it must be writable, and ${not}`);
  }
  await importService();
  process.on('exit', endedEarly);
  await importJobs();
  process.off('exit', endedEarly);
  flushCompileCache();
  console.log(`compiled ahead: ${shared(folder)}, in ${CACHE_FOLDER}`);
  // Whatever a module of the jobs has opened.
  process.exit(0);
} catch (error) {
  process.off('exit', endedEarly);
  fail(told(error));
  process.exit(1);
}

/** What was kept before is kept for good, even of modules that are gone. The folder may stay. */
function empty(): void {
  mkdirSync(CACHE_FOLDER, { recursive: true });
  for (const name of readdirSync(CACHE_FOLDER)) {
    rmSync(join(CACHE_FOLDER, name), { recursive: true });
  }
}

/** All that is imported on the way to a first answer, with either store and by any trigger. */
async function importService(): Promise<void> {
  await import('../server/main.ts');
  await import('cron-parser');
  await import('../server/http/identity/credentials.ts');
  await import('../server/http/triggers.ts');
  await import('../server/http/pages/pages.ts');
  await import('../server/http/api/api.ts');
  await import('../server/stores/sqlite.ts');
  await import('../server/stores/firestore.ts');
  await import('../server/triggers/open-dispatch.ts');
  await import('../server/triggers/cloud-tasks.ts');
  await import('../server/triggers/cloud-scheduler.ts');
  await import('../server/triggers/scheduler-wanted.ts');
  await import('../server/observe/alert.ts');
  await import('../server/observe/alerts.ts');
  // Its library imports what it fetches Google's keys with when it first does.
  const { GoogleTokens } = await import('../server/http/google-token.ts');
  const { systemClock: clock } = await import('../server/process/clock.ts');
  const tokens = new GoogleTokens({ signer: 'google', audience: '', certsUrl: NOWHERE, clock });
  await tokens.check('a.b.c').catch(() => undefined);
}

/** A registry that wants what only the deployed service has is no reason not to deploy it. */
async function importJobs(): Promise<void> {
  const { readConfig } = await import('../server/config.ts');
  const { systemClock } = await import('../server/process/clock.ts');
  const { loadRegistry } = await import('../server/registry.ts');
  const env = { PUNCTUAL_JOBS: process.env['PUNCTUAL_JOBS'] };
  const config = readConfig(env, process.cwd(), Date.now());
  await loadRegistry(config, systemClock).catch((error: unknown) => {
    console.error(`the jobs may not be among it: ${told(error)}`);
  });
  const folder = dirname(config.jobs);
  const beside = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  for (const name of beside.slice(0, FILES_LIMIT)) await compile(join(folder, name));
}

/**
 * Compiles a module and what it imports, and runs neither: modules are run in the order in which
 * they are imported, after all were compiled, and the first of these throws.
 */
async function compile(file: string): Promise<void> {
  const module = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
  const both = [module('throw undefined'), pathToFileURL(file).href];
  // What can't be compiled is told of when the job is run.
  await import(module(both.map((each) => `import '${each}';`).join(''))).catch(() => undefined);
}

/** Lets others read it, as the user that runs the service may be another. Gives how much it is. */
function shared(folder: string): string {
  const files = readdirSync(folder).map((name) => join(folder, name));
  if (files.length === 0) throw new Error(`nothing was kept in ${folder}`);
  for (const path of [CACHE_FOLDER, folder]) chmodSync(path, 0o755);
  for (const file of files) chmodSync(file, 0o644);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return `${files.length} entries, ${(bytes / 1e6).toFixed(1)} MB`;
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(why: string): void {
  console.error(`The compile cache can't be made: ${why}`);
  process.exitCode = 1;
}
