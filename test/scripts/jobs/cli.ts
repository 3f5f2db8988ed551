import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { begin, callBeside } from '../call.ts';
import { startServer, tempFolder } from '../../process/server.ts';

/** The command line as a process, and the servers that it talks to. */

export const CALLED = new URL('./fixtures/called.ts', import.meta.url).pathname;
export const SCRIPT = new URL('../../../scripts/jobs.ts', import.meta.url).pathname;

export type Env = Record<string, string>;

export const jobs = (words: readonly string[], env: Env) => callBeside('jobs.ts', words, env);
export const beginJobs = (words: readonly string[], env: Env) => begin('jobs.ts', words, env);

/** A real server with the jobs of fixtures/called.ts, and the environment to call it. */
export async function startCalled(given: Env = {}) {
  const folder = tempFolder();
  const own = { PUNCTUAL_DB: join(folder, 'punctual.db'), PUNCTUAL_JOBS: CALLED };
  const start = (port = '0') => startServer({ ...own, TEST_FOLDER: folder, PORT: port, ...given });
  const server = await start();
  const { port } = new URL(server.url);
  return {
    server,
    /** Started again where it was. */
    restart: () => start(port),
    /** This machine's own server. */
    here: { ...own, PORT: port, USER: 'ann' },
    /** A server that is named. */
    named: { PUNCTUAL_URL: server.url },
    /** Lets the jobs through that wait at a gate. */
    open: (gate: string) => writeFileSync(join(folder, gate), ''),
    file: (name: string, content: string | Uint8Array): string => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    input: (value: unknown) => {
      const path = join(folder, 'input.json');
      writeFileSync(path, JSON.stringify(value));
      return path;
    },
  };
}

export const hasTerminal = spawnSync('script', ['--version']).status === 0;

/**
 * The same on a terminal that is so wide, as util-linux's `script` makes one. `hear` gets all that
 * it shows so far.
 */
export async function onTerminal(
  words: readonly string[],
  env: Env,
  { columns, hear = () => undefined }: { columns: number; hear?: (shown: string) => void },
) {
  const quoted = [process.execPath, SCRIPT, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty cols ${columns}; ${quoted}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    hear(out);
  });
  const [status] = await once(child, 'close');
  return { out: out.replaceAll('\r\n', '\n'), status };
}

/** Stands between, and loses answers: what was asked for has happened then. */
export async function startProxy(upstream: string) {
  const { port } = new URL(upstream);
  const sockets = new Set<Socket>();
  let toLose = 0;
  let isHeld = false;
  let held = 0;
  let lost = 0;
  const server = createServer((here) => {
    const there = connect(Number(port), '127.0.0.1');
    sockets.add(here).add(there);
    const end = () => [here, there].forEach((socket) => socket.destroy());
    here.on('error', end).on('close', end).pipe(there);
    there
      .on('error', end)
      .on('close', end)
      .on('data', (data) => {
        if (isHeld) return void (held += 1);
        if (toLose === 0) return void here.write(data);
        toLose -= 1;
        lost += 1;
        end();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Loses the next answers. */
    lose: (count: number) => void (toLose = count),
    lost: () => lost,
    /** From now on no answer comes. */
    hold: () => void (isHeld = true),
    held: () => held,
  };
}
