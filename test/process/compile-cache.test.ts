import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { tempFolder, until } from './server.ts';

/** The service in a copy of its folder, so that what a build puts beside it is there alone. */

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = ['server', 'views', 'jobs', 'scripts', 'package.json', 'firestore.indexes.json'];
let built = '';

beforeAll(() => {
  built = fs.mkdtempSync(join(fs.realpathSync(process.env['TMPDIR'] ?? '/tmp'), 'punctual-test-'));
  for (const name of COPIED) fs.cpSync(join(ROOT, name), join(built, name), { recursive: true });
  fs.symlinkSync(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  bake({});
  return () => fs.rmSync(built, { recursive: true });
});

const cache = (): string => join(built, '.compile-cache');
const baked = (): string => fs.readdirSync(cache())[0] ?? '';

/** With nothing of the machine's: no credentials, no home. */
function bake(env: Readonly<Record<string, string>>): string {
  const script = join(built, 'scripts/compile-cache.ts');
  const options = { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' } as const;
  return execFileSync(process.execPath, [script], { ...options, stdio: 'pipe' });
}

/** The baked sub-folder, under another name for a test. */
function renamed(name: string): void {
  const [from, to] = [join(cache(), baked()), join(cache(), name)];
  fs.renameSync(from, to);
  onTestFinished(() => {
    for (const one of fs.readdirSync(cache()).filter((other) => other !== name)) {
      fs.rmSync(join(cache(), one), { recursive: true });
    }
    fs.renameSync(to, from);
  });
}

/** Starts the copy and stops it: how many modules were compiled before, how many only now. */
async function start(env: Readonly<Record<string, string>>, job?: string) {
  const temporary = tempFolder();
  const child = spawn(process.execPath, [join(built, 'server/start.js')], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
      TMPDIR: temporary,
      NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let told = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (told += data.toString()));
  const ended = new Promise((done) => child.once('close', done));
  await until(async () => out.includes('Punctual is at'), 20_000);
  const during = fs.readdirSync(temporary);
  if (job !== undefined) {
    const url = /http:\S+/.exec(out)?.[0] ?? '';
    const headers = { Prefer: 'wait=10' };
    await fetch(`${url}/api/v1/jobs/${job}/runs`, { method: 'POST', headers });
  }
  child.kill('SIGTERM');
  return {
    status: await ended,
    hits: told.split(/reading cache from .*success/).length - 1,
    misses: told.split(/reading cache from .*no such file/).length - 1,
    during: during.filter((name) => name.includes('compile-cache')),
    after: fs.readdirSync(temporary).filter((name) => name.includes('compile-cache')),
  };
}

test('a start finds all that it needs compiled by the build', async () => {
  const { status, hits, misses } = await start({});

  expect(hits).toBeGreaterThan(100);
  expect(misses).toBe(0);
  expect(status).toBe(0);
});

test('what one user has built is found by another, and nothing is left behind', async () => {
  renamed(baked().replace(/-\d+$/, '-4711'));

  const { status, hits, misses, during, after } = await start({});

  expect(hits).toBeGreaterThan(100);
  expect(misses).toBe(0);
  expect(during).toHaveLength(1);
  expect(after).toEqual([]);
  expect(status).toBe(0);
});

test('so it is on another model of processor', async () => {
  renamed(baked().replace(/-[0-9a-f]{8}-\d+$/, '-00000000-4711'));

  const { hits, misses } = await start({});

  expect({ found: hits > 100, misses }).toEqual({ found: true, misses: 0 });
});

test('what another version of Node has compiled is let alone', async () => {
  renamed(baked().replace(/^v[\d.]+-/, 'v24.0.0-'));

  const { hits, during } = await start({});

  expect({ hits, during }).toEqual({ hits: 0, during: [] });
});

test('where nothing can be kept, the service starts all the same', async () => {
  fs.renameSync(cache(), `${cache()}-away`);
  // Not even the user root can make a folder of a file.
  fs.writeFileSync(cache(), '');
  onTestFinished(() => {
    fs.rmSync(cache());
    fs.renameSync(`${cache()}-away`, cache());
  });

  const { status, hits } = await start({});

  expect({ status, hits }).toEqual({ status: 0, hits: 0 });
});

test('what the environment says of the cache holds', async () => {
  const elsewhere = tempFolder();

  const first = await start({ NODE_COMPILE_CACHE: elsewhere });
  const second = await start({ NODE_COMPILE_CACHE: elsewhere });
  const without = await start({ NODE_COMPILE_CACHE: elsewhere, NODE_DISABLE_COMPILE_CACHE: '1' });

  expect(first.hits).toBe(0);
  expect(second.hits).toBeGreaterThan(100);
  expect({ hits: without.hits, misses: without.misses }).toEqual({ hits: 0, misses: 0 });
});

test('a build says how much it has compiled, and may be read by every user', () => {
  const out = bake({});

  const kept = fs.readdirSync(join(cache(), baked()));
  const told = /^compiled ahead: (\d+) entries, \d\.\d MB, in /.exec(out)?.[1];
  expect(Number(told)).toBe(kept.length);
  expect(kept.length).toBeGreaterThan(400);
  for (const name of kept) {
    expect(fs.statSync(join(cache(), baked(), name)).mode & 0o777).toBe(0o644);
  }
});

test('a handler is compiled by a build, and not run before its job is', async () => {
  const folder = tempFolder();
  const [jobs, ran] = [join(folder, 'jobs.ts'), join(folder, 'ran')];
  fs.writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  fs.writeFileSync(
    jobs,
    `import { defineJob } from '${join(built, 'server/core/job.ts')}';
     const run = () => import('./shop.run.ts');
     export default [defineJob({ name: 'shop', schedule: null, run })];`,
  );
  fs.writeFileSync(
    join(folder, 'shop.run.ts'),
    `import { writeFileSync } from 'node:fs';
     writeFileSync('${ran}', '');
     export default (): undefined => undefined;`,
  );

  bake({ PUNCTUAL_JOBS: jobs });
  const byBuild = fs.existsSync(ran);
  const { misses } = await start({ PUNCTUAL_JOBS: jobs }, 'shop');

  expect({ byBuild, byRun: fs.existsSync(ran), misses }).toEqual({
    byBuild: false,
    byRun: true,
    misses: 0,
  });
  bake({});
});

test('a build that can keep nothing fails, and says why', () => {
  expect(() => bake({ NODE_DISABLE_COMPILE_CACHE: '1' })).toThrow(/must be writable/);

  bake({});
});

test('jobs that can not be imported by a build are told of, and do not fail it', () => {
  const jobs = join(tempFolder(), 'jobs.ts');
  fs.writeFileSync(jobs, "throw new Error('SHOP_KEY is not set');");

  expect(bake({ PUNCTUAL_JOBS: jobs })).toMatch(/^compiled ahead: \d+/);

  fs.writeFileSync(jobs, 'process.exit(0);');
  expect(() => bake({ PUNCTUAL_JOBS: jobs })).toThrow(/a module of the jobs ended the process/);
  bake({});
});
