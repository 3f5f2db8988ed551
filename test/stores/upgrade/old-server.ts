import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SECRET_KEY } from './released.ts';

/** Servers of earlier versions, from the repository's own history. */

const ROOT = resolve(import.meta.dirname, '../../..');
const HERE = 'test/stores/upgrade';

/** An earlier version in a folder of its own, outside of this one. */
export interface OldTree {
  readonly folder: string;
  readonly jobs: string;
  remove(): void;
}

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();

/** When a commit was made, as the start of a name that sorts by it. */
export const dayOf = (commit: string): string =>
  git('show', '-s', '--format=%cd', '--date=format-local:%Y-%m-%dT%H%M', commit);

/** Lays a version out, with the jobs of the fixtures, on the packages of this one. */
export function layOut(commit: string): OldTree {
  const above = mkdtempSync(join(tmpdir(), 'punctual-old-'));
  const folder = join(above, 'tree');
  git('worktree', 'add', '--detach', folder, commit);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, HERE), { recursive: true });
  for (const name of ['jobs.ts', 'secret-job.ts']) {
    copyFileSync(join(ROOT, HERE, name), join(folder, HERE, name));
  }
  return {
    folder,
    jobs: join(folder, HERE, 'jobs.ts'),
    remove() {
      git('worktree', 'remove', '--force', folder);
      rmSync(above, { recursive: true, force: true });
    },
  };
}

export interface OldServer {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  output(): string;
  ask(path: string, init?: RequestInit): Promise<{ status: number; text: string; body: any }>;
}

/** Starts a version's own server; rejects with what it printed where it does not start. */
export async function startOld(
  tree: Pick<OldTree, 'folder' | 'jobs'>,
  env: Readonly<Record<string, string>>,
): Promise<OldServer> {
  const script = ['server/start.js', 'server/main.ts'].find((one) =>
    existsSync(join(tree.folder, one)),
  );
  // Earlier versions refuse a variable that they do not know.
  const config = readFileSync(join(tree.folder, 'server/config.ts'), 'utf8');
  const key = config.includes('PUNCTUAL_SECRET_KEY') && { PUNCTUAL_SECRET_KEY: SECRET_KEY };
  const child = spawn(process.execPath, [script ?? ''], {
    cwd: tree.folder,
    env: {
      PATH: process.env['PATH'],
      TZ: 'UTC',
      PORT: '0',
      PUNCTUAL_JOBS: tree.jobs,
      NODE_DISABLE_COMPILE_CACHE: '1',
      ...key,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = new Promise<number | string | null>((done) =>
    child.once('exit', (status, signal) => done(status ?? signal)),
  );
  const url = await new Promise<string>((found, failed) => {
    const read = (data: Buffer): void => {
      text += data.toString();
      const address = /Punctual is at (http:\S+)/.exec(text)?.[1];
      if (address !== undefined) found(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => failed(new Error(text)));
  });
  return {
    url,
    child,
    ended,
    output: () => text,
    async ask(path, init) {
      const answer = await fetch(url + path, init);
      const body = await answer.text();
      const isJson = answer.headers.get('Content-Type')?.includes('json') === true;
      return { status: answer.status, text: body, body: isJson ? JSON.parse(body) : undefined };
    },
  };
}
