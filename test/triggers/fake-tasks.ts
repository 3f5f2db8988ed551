import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { listen } from '../grpc.ts';

/** A task as the client sends it. */
export interface Task {
  readonly name: string;
  readonly scheduleTime: { readonly seconds: string; readonly nanos: number } | null;
  readonly dispatchDeadline: { readonly seconds: string };
  readonly httpRequest: {
    readonly url: string;
    readonly httpMethod: string;
    readonly oidcToken: { readonly serviceAccountEmail: string; readonly audience: string };
  };
}

/** Plays Cloud Tasks on this machine, by the client's own protos. */
export interface FakeTasks {
  readonly endpoint: string;
  readonly tasks: Task[];
  /** The next so many calls fail by this code. */
  fail(code: number, times: number): void;
}

export async function playCloudTasks(): Promise<FakeTasks> {
  const require = createRequire(import.meta.url);
  // Beside the package's entry, which its `exports` do not let one ask for by name.
  const entry = dirname(require.resolve('@google-cloud/tasks'));
  const json = require(join(entry, '../../protos/protos.json'));
  const loaded: any = grpc.loadPackageDefinition(
    fromJSON(json, { longs: String, enums: String, oneofs: true, defaults: true }),
  );
  const tasks: Task[] = [];
  let failing: { code: number; times: number } = { code: 0, times: 0 };
  const server = new grpc.Server();
  server.addService(loaded.google.cloud.tasks.v2.CloudTasks.service, {
    createTask(call: any, reply: any) {
      if (failing.times > 0) {
        failing = { ...failing, times: failing.times - 1 };
        return reply({ code: failing.code, details: 'told to fail' });
      }
      const { task } = call.request;
      if (tasks.some(({ name }) => name === task.name)) {
        return reply({ code: grpc.status.ALREADY_EXISTS, details: 'exists' });
      }
      tasks.push(task);
      reply(null, task);
    },
  });
  return {
    endpoint: await listen(server),
    tasks,
    fail: (code, times) => void (failing = { code, times }),
  };
}
