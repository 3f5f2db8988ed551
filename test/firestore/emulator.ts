import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** The official Firestore emulator, a component of the Google Cloud SDK: real, and started here. */

const JAR = 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar';
const USUAL_PLACES = [
  process.env['CLOUDSDK_ROOT_DIR'],
  '/usr/lib/google-cloud-sdk',
  '/usr/share/google-cloud-sdk',
  '/usr/local/google-cloud-sdk',
  '/opt/google-cloud-sdk',
  '/opt/homebrew/share/google-cloud-sdk',
  '/snap/google-cloud-cli/current',
  join(homedir(), 'google-cloud-sdk'),
];

/** The emulator's program; undefined where it is not installed. */
export const findEmulator = (): string | undefined =>
  USUAL_PLACES.flatMap((place) => (place === undefined ? [] : [join(place, JAR)])).find(existsSync);

export interface Emulator {
  /** `host:port`. */
  readonly address: string;
  stop(): void;
}

const UP_WITHIN_MS = 60_000;

/** Starts the emulator on a free port of this machine and waits until it answers. */
export async function startEmulator(jar: string): Promise<Emulator> {
  const port = await freePort();
  const java = ['-Duser.language=en', '-Xmx1g', '-XX:+UseSerialGC', '-cp', jar];
  const main = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';
  const options = ['--host', '127.0.0.1', '--port', `${port}`];
  const child = spawn('java', [...java, main, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without a terminal: in the background of one it would be stopped, and all that runs with it.
    detached: true,
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  await untilUp(child);
  return { address: `127.0.0.1:${port}`, stop };
}

function untilUp(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void =>
      reject(new Error(`the Firestore emulator does not start: ${why}\n${said}`));
    const timer = setTimeout(() => fail('no answer'), UP_WITHIN_MS);
    const read = (data: Buffer): void => {
      said += data.toString();
      if (!said.includes('is now running')) return;
      clearTimeout(timer);
      said = '';
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (status) => fail(`it ended with ${status}`));
  });
}

/** The emulator can't say which port it took, so one is found for it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
