import { createHash } from 'node:crypto';
import { CloudTasksClient } from '@google-cloud/tasks';
import { grpc, secondsOf, standIn } from '../google.ts';
import { StoreUnavailable } from '../core/store.ts';
import type { Sending } from './dispatch.ts';

/*
 * Google's client, behind our own small interface. A task is only a wake-up that comes at its time:
 * whoever it reaches claims the run like anybody else, so a lost or a doubled one is harmless. Its
 * name says run and attempt, so that Cloud Tasks takes each but once.
 */

export interface TasksPlace {
  readonly project: string;
  readonly location: string;
  readonly queue: string;
  /** `host:port` of a program that plays it; null for the real one. */
  readonly endpoint: string | null;
  /** Where the service is reached, and the audience of the token. */
  readonly serviceUrl: string;
  /** The service account whose token the task bears. */
  readonly account: string;
}

const CALL_MS = 10_000;
/** Cloud Tasks waits for no answer over HTTP longer than this, nor for less than 15 s. */
const DEADLINE_MS = { least: 15_000, most: 1_800_000 } as const;

/** Connects when first asked, and not before. */
export class CloudTasks {
  readonly #client: CloudTasksClient;
  readonly #of: TasksPlace;

  constructor(of: TasksPlace) {
    this.#of = of;
    this.#client = new CloudTasksClient({
      projectId: of.project,
      ...(of.endpoint !== null && standIn(of.endpoint)),
    });
  }

  /** Asks for a request at its time. Sent twice, it is one. */
  async send(sending: Sending): Promise<void> {
    const { project, location, queue, serviceUrl, account } = this.#of;
    const { runId, at, timeoutMs } = sending;
    const parent = this.#client.queuePath(project, location, queue);
    const { least, most } = DEADLINE_MS;
    const deadlineMs = Math.max(least, Math.min(most, timeoutMs + least));
    const task = {
      name: `${parent}/tasks/${taskId(sending)}`,
      ...(at !== null && { scheduleTime: secondsOf(at) }),
      dispatchDeadline: { seconds: Math.ceil(deadlineMs / 1000) },
      httpRequest: {
        url: `${serviceUrl}/triggers/runs/${encodeURIComponent(runId)}`,
        httpMethod: 'POST' as const,
        oidcToken: { serviceAccountEmail: account, audience: serviceUrl },
      },
    };
    try {
      await this.#client.createTask({ parent, task }, { timeout: CALL_MS, retry: null });
    } catch (error) {
      const code: unknown = Reflect.get(Object(error), 'code');
      if (code === grpc.status.ALREADY_EXISTS) return;
      const detail: unknown = Reflect.get(Object(error), 'details');
      throw new StoreUnavailable(`Cloud Tasks did not take ${runId}: ${String(detail)}`);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/**
 * Letters, digits, hyphens and underscores, 500 at most. A hash first: names that begin alike make
 * a queue slow.
 */
export function taskId({ runId, attempt }: Pick<Sending, 'runId' | 'attempt'>): string {
  const hash = createHash('sha256').update(`${runId} ${attempt}`).digest('hex').slice(0, 24);
  const readable = runId.replaceAll(/[^A-Za-z0-9-]/g, '_').slice(0, 300);
  return `${hash}-${readable}-${attempt}`;
}
