import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, startServer, type Server } from './server.ts';

/** When Redis waits for the disk: before it answers, or once a second. */
export type Fsync = 'always' | 'everysec';

/** A Redis that keeps its log of writes, on a socket that nobody else knows. */
export async function startRedis(folder: string, fsync: Fsync): Promise<Server> {
  const program = onPath('redis-server');
  if (program === undefined) throw new Error('no Redis here (redis-server is not on the PATH)');
  const own = join(folder, `redis-${fsync}`);
  mkdirSync(own);
  const socket = join(own, 'socket');
  const settings = {
    port: '0',
    unixsocket: socket,
    dir: own,
    appendonly: 'yes',
    appendfsync: fsync,
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const stop = await startServer({
    program,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    folder: own,
    user: undefined,
    ready: /ready to accept connections/i,
    stopBy: 'SIGTERM',
  });
  return { socket, stop };
}
