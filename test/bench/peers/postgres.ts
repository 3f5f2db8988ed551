import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onPath, startServer, type Server, type User } from './server.ts';

/** Where Debian and those after it have the server's programs, by version. */
const USUAL_PLACE = '/usr/lib/postgresql';
/** Whoever owns one of the machine's own, or else nobody. */
const USERS = ['postgres', 'nobody'];

export const OWNER = 'bench';

/** A PostgreSQL as it comes, on a socket in a folder that nobody else knows. */
export async function startPostgres(): Promise<Server> {
  const programs = findPrograms();
  if (programs === undefined) throw new Error('no PostgreSQL here (initdb is nowhere)');
  const user = otherUser();
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    const making = ['-D', data, '-U', OWNER, '-A', 'trust', '--locale=C', '-E', 'UTF8', '-N'];
    await promisify(execFile)(join(programs, 'initdb'), making, { ...user, cwd: folder });
    const stop = await startServer({
      program: join(programs, 'postgres'),
      args: ['-D', data, '-k', folder, '-c', 'listen_addresses='],
      folder,
      user,
      ready: /ready to accept connections/,
      // It waits for nobody who is still connected then.
      stopBy: 'SIGINT',
    });
    return { socket: folder, stop: () => stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

function findPrograms(): string | undefined {
  const found = onPath('initdb');
  if (found !== undefined) return dirname(found);
  const versions = existsSync(USUAL_PLACE) ? readdirSync(USUAL_PLACE) : [];
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(USUAL_PLACE, version, 'bin'))
    .find((programs) => existsSync(join(programs, 'initdb')));
}

/** Whom it may run as: it refuses root. Undefined for whoever runs this. */
function otherUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const user = USERS.map(ids).find((found) => found !== undefined);
  if (user !== undefined) return user;
  throw new Error(`PostgreSQL refuses root, and there is no user ${USERS.join(' or ')} here`);
}

function ids(name: string): User | undefined {
  const ask = (what: string): number =>
    Number(execFileSync('id', [what, name], { encoding: 'utf8', stdio: 'pipe' }));
  try {
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    return undefined;
  }
}
