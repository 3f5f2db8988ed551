/**
 * An earlier version and this one at work on one store at once, as in the middle of an upgrade.
 *
 *   node test/stores/upgrade/side-by-side.ts [--firestore] COMMIT…
 *
 * Each commit's real server begins; this version's joins it, and both work for some two minutes.
 * People ask both. Then the earlier one is stopped, and started once more: where the schema has
 * gone on it must refuse. At the end the store must say nothing against itself, and no occurrence
 * have been run twice. With --firestore on the official emulator, else on a SQLite file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../../../server/config.ts';
import { systemClock } from '../../../server/process/clock.ts';
import { openStore } from '../../../server/stores/open.ts';
import { contradictions, runsOf } from '../../disk/contradictions.ts';
import { findEmulator, startEmulator } from '../../firestore/emulator.ts';
import { layOut, startOld, type OldServer } from './old-server.ts';
import { SECRET_KEY } from './released.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** A call to Firestore may take a twelfth of it, and the emulator is slow to begin. */
const LEASE_MS = 60_000;

type Env = Readonly<Record<string, string>>;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function until(
  what: string,
  look: () => Promise<boolean>,
  withinMs: number,
): Promise<number> {
  const begin = Date.now();
  while (!(await look())) {
    if (Date.now() - begin > withinMs) throw new Error(`${what}: not after ${withinMs} ms`);
    await wait(100);
  }
  return Date.now() - begin;
}

/** Starts a run by hand, as soon as the job is not busy with what its schedule names. */
async function trigger(server: OldServer, job: string, key: string): Promise<string> {
  const headers = { 'Idempotency-Key': key };
  for (let tries = 1; ; tries += 1) {
    const asked = await server.ask(`/api/v1/jobs/${job}/runs`, { method: 'POST', headers });
    if (asked.status < 300) return asked.body.id;
    if (asked.status !== 409 || tries === 50) throw new Error(`${job}: ${asked.text}`);
    await wait(200);
  }
}

const stateOf = async (server: OldServer, id: string): Promise<string> =>
  (await server.ask(`/api/v1/runs/${encodeURIComponent(id)}`)).body.state;

/** What the old one does shows on the other's overview, which reads only what changed. */
async function shownWithin(old: OldServer, now: OldServer): Promise<number> {
  await now.ask('/');
  const id = await trigger(old, 'quick', `shown-${Date.now()}`);
  const mark = encodeURIComponent(id);
  return await until(
    'the other one shows it',
    async () => {
      const { text } = await now.ask('/');
      return text.includes(mark) || text.includes(id);
    },
    30_000,
  ).catch(() => NaN);
}

async function sideBySide(commit: string, env: Env): Promise<string[]> {
  const tree = layOut(commit);
  const servers: OldServer[] = [];
  const start = async (folder: string, jobs: string, build: string): Promise<OldServer> => {
    const server = await startOld({ folder, jobs }, { ...env, PUNCTUAL_BUILD: build });
    servers.push(server);
    return server;
  };
  const present = { folder: ROOT, jobs: join(import.meta.dirname, 'jobs.ts') };
  const wrong: string[] = [];
  try {
    const old = await start(tree.folder, tree.jobs, 'old');
    const first = await trigger(old, 'quick', 'one');
    await until('a run by hand', async () => (await stateOf(old, first)) === 'succeeded', 20_000);
    const now = await start(present.folder, present.jobs, 'present');
    const again = await trigger(now, 'quick', 'one');
    if (again !== first) wrong.push(`one key is ${first}, and ${again} for the present version`);
    const ids = await Promise.all(
      [old, now].flatMap((server, i) =>
        ['talks', 'hand'].map((job) => trigger(server, job, `${job}-${i}`)),
      ),
    ).catch((error: unknown) => (wrong.push(String(error)), []));
    // In the middle of a minute: nobody else has written to it lately.
    await wait(60_000 - (Date.now() % 60_000) + 30_000);
    const shown = await shownWithin(old, now);
    say(`  ${commit}: what the earlier one did was shown after ${shown} ms`);
    await now.ask('/api/v1/jobs/pauses/pause', { method: 'PUT' });
    await wait(60_000);
    for (const id of ids) {
      const states = await Promise.all([old, now].map((server) => stateOf(server, id)));
      if (new Set(states).size > 1) wrong.push(`${id} is ${states.join(' and ')}`);
    }
    old.child.kill('SIGTERM');
    await old.ended;
    const refused = await start(tree.folder, tree.jobs, 'old').then(
      (server) => (server.child.kill('SIGTERM'), 'it started again'),
      (error: unknown) => (error instanceof Error ? error.message.trim() : String(error)),
    );
    say(`  ${commit}, started again: ${refused.replaceAll(/\s+/g, ' ')}`);
    await wait(20_000);
    now.child.kill('SIGTERM');
    await now.ended;
    for (const server of servers) wrong.push(...complaints(server.output()));
    return [...wrong, ...(await judged(env))];
  } finally {
    for (const { child } of servers) child.kill('SIGKILL');
    tree.remove();
  }
}

/** What a server says of itself that it should not have to. */
const complaints = (output: string): string[] =>
  output
    .split('\n')
    .filter((line) => /job_quarantined|uncaught|broken|anomal|request_failed/.test(line))
    .map((line) => line.slice(0, 300));

async function judged(env: Env): Promise<string[]> {
  const asked = { ...process.env, ...env, PUNCTUAL_SECRET_KEY: SECRET_KEY };
  const store = await openStore(readConfig(asked, ROOT, 0), systemClock, () => undefined);
  const found = await contradictions(store);
  let runs = 0;
  for (const { name } of await store.listJobs({ limit: 100 })) {
    const all = (await runsOf(store, name)).filter(({ range }) => range === null);
    const owners = new Set(all.flatMap(({ attempts }) => attempts.map(({ owner }) => owner)));
    runs += all.length;
    // Only what says so may have more than one attempt, or was handed from one to the other.
    for (const { id, attempts } of all) {
      const again = attempts.slice(1).filter((_, i) => attempts[i]?.outcome === 'succeeded');
      if (again.length > 0) found.push(`${id} was tried again after it succeeded`);
    }
    if (name === 'quick' && owners.size < 2) found.push('only one of the two ever ran "quick"');
  }
  await store.close();
  say(`  ${runs} runs on record`);
  return found;
}

const [option, ...rest] = process.argv.slice(2);
const onFirestore = option === '--firestore';
const commits = onFirestore ? rest : process.argv.slice(2);
const jar = findEmulator();
const emulator = onFirestore && jar !== undefined ? await startEmulator(jar) : undefined;
if (onFirestore && emulator === undefined)
  throw new Error('the Firestore emulator is not installed');

const results = await Promise.all(
  commits.map(async (commit) => {
    const folder = mkdtempSync(join(tmpdir(), 'punctual-side-'));
    const where: Env =
      emulator === undefined
        ? { PUNCTUAL_DB: join(folder, 'punctual.db') }
        : {
            PUNCTUAL_STORE: 'firestore',
            FIRESTORE_EMULATOR_HOST: emulator.address,
            GOOGLE_CLOUD_PROJECT: `p${commit}`,
            PUNCTUAL_WAKE: 'timer',
          };
    const common = { PUNCTUAL_LEASE_MS: `${LEASE_MS}`, TEST_SHARE: '0.05', TMPDIR: folder };
    const wrong = await sideBySide(commit, { ...where, ...common })
      .catch((error: unknown) => [String(error)])
      .finally(() => rmSync(folder, { recursive: true, force: true }));
    say(`${commit}: ${wrong.length === 0 ? 'nothing is wrong' : wrong.join('\n  ')}`);
    return wrong.length;
  }),
);
emulator?.stop();
process.exitCode = results.some((wrong) => wrong > 0) ? 1 : 0;
