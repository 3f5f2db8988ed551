import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What is installed, each the newest on 2026-11-30, and with it what they need themselves. */
export const VERSIONS = {
  bullmq: '6.7.0',
  croner: '11.0.1',
  'graphile-worker': '0.18.0',
  ioredis: '6.0.0',
  'node-cron': '4.6.0',
  pg: '8.23.1',
  'pg-boss': '12.38.0',
} as const;

export type Name = keyof typeof VERSIONS;

export const named = (name: Name): string => `${name} ${VERSIONS[name]}`;

const WITHIN_MS = 180_000;

/** Nothing of it gets into the project, and no script of a package runs. */
const OPTIONS = [
  '--no-audit',
  '--no-fund',
  '--no-package-lock',
  '--ignore-scripts',
  '--prefer-offline',
  // Without a network that is said soon.
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
];

/** Gives a package's module, or throws where it is not what we know how to use. */
export type Load = <T>(name: Name, isKnown: (module: unknown) => module is T) => T;

/** Installs all in a folder of their own. Rejects with the reason where that can't be done. */
export async function install(folder: string): Promise<Load> {
  const manifest = join(folder, 'package.json');
  writeFileSync(manifest, '{ "private": true }\n');
  const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  const args = ['install', '--prefix', folder, ...OPTIONS, ...wanted];
  // npm picks what packages need by the Node that runs it.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path };
  const how = { cwd: folder, env, timeout: WITHIN_MS };
  await promisify(execFile)('npm', args, how).catch((error: unknown) => {
    throw new Error(`npm could not install it (${codeOf(error)})`, { cause: error });
  });
  const require = createRequire(manifest);
  return (name, isKnown) => {
    const module: unknown = require(name);
    if (isKnown(module)) return module;
    throw new Error(`${named(name)} is not used as we know it`);
  };
}

/** Such as ENOTFOUND. */
function codeOf(error: unknown): string {
  if (read(error, 'killed') === true) return `not within ${WITHIN_MS / 1000} s`;
  const code = /npm error code (\w+)/.exec(String(read(error, 'stderr')))?.[1];
  return code ?? `ended with ${String(read(error, 'code'))}`;
}

/** Whether a module has these functions and classes. */
export const has = (module: unknown, names: readonly string[]): boolean =>
  names.every((name) => typeof read(module, name) === 'function');

/** What something has under that name; undefined where it has nothing. */
export const read = (from: unknown, name: string): unknown => Reflect.get(Object(from), name);
