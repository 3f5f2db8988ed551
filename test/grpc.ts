import grpc from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

/** Lets a server answer on a free port of this machine until the test ends; gives `host:port`. */
export async function listen(server: grpc.Server): Promise<string> {
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return `127.0.0.1:${port}`;
}
