import grpc from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CloudTasks, taskId } from '../../server/triggers/cloud-tasks.ts';
import { Dispatch } from '../../server/triggers/dispatch.ts';
import { jobRecord } from '../builders.ts';
import { job } from '../service.ts';
import { playCloudTasks, type FakeTasks } from './fake-tasks.ts';

const AT = Date.UTC(2026, 2, 1, 2, 0, 0, 250);

function client({ endpoint }: FakeTasks): CloudTasks {
  const tasks = new CloudTasks({
    project: 'p',
    location: 'europe-west1',
    queue: 'punctual',
    endpoint,
    serviceUrl: 'https://punctual.example.com',
    account: 'tasks@p.iam.gserviceaccount.com',
  });
  onTestFinished(() => tasks.close());
  return tasks;
}

const sending = { runId: 'job@20260301T020000Z', attempt: 2, at: AT, timeoutMs: 600_000 };

describe('a task', () => {
  test('is named by run and attempt, comes at its time, and bears a token for us', async () => {
    const fake = await playCloudTasks();

    await client(fake).send(sending);

    expect(fake.tasks).toMatchObject([
      {
        name: expect.stringMatching(
          /^projects\/p\/locations\/europe-west1\/queues\/punctual\/tasks\/[0-9a-f]{24}-job_20260301T020000Z-2$/,
        ),
        scheduleTime: { seconds: String(Math.floor(AT / 1000)), nanos: 250_000_000 },
        dispatchDeadline: { seconds: '615' },
        httpRequest: {
          url: 'https://punctual.example.com/triggers/runs/job%4020260301T020000Z',
          httpMethod: 'POST',
          oidcToken: {
            serviceAccountEmail: 'tasks@p.iam.gserviceaccount.com',
            audience: 'https://punctual.example.com',
          },
        },
      },
    ]);
  });

  test('is taken but once, however often it is sent', async () => {
    const fake = await playCloudTasks();
    const tasks = client(fake);

    await Promise.all([tasks.send(sending), tasks.send(sending)]);
    await tasks.send(sending);
    await tasks.send({ ...sending, attempt: 3 });

    expect(fake.tasks).toHaveLength(2);
  });

  test('that is not taken says so', async () => {
    const fake = await playCloudTasks();
    fake.fail(grpc.status.PERMISSION_DENIED, 1);

    await expect(client(fake).send(sending)).rejects.toThrow(
      'Cloud Tasks did not take job@20260301T020000Z: told to fail',
    );
  });

  test('has an id of the characters that Cloud Tasks takes, whatever the run is called', () => {
    const id = taskId({ runId: `job!${'x'.repeat(600)}/é`, attempt: 1 });

    expect(id).toMatch(/^[A-Za-z0-9_-]{1,500}$/);
  });
});

describe('what waits is sent', () => {
  const record = jobRecord({
    name: 'job',
    retries: [
      {
        runId: 'job@a',
        trigger: 'schedule',
        scheduledAt: AT,
        attempt: 2,
        interruptions: 0,
        notBefore: AT,
        since: AT,
        beside: false,
      },
    ],
    queue: [
      { runId: 'job!b', since: AT },
      { runId: 'job!c', since: AT },
    ],
  });

  function dispatching(fake: FakeTasks, ahead = true) {
    const logged: string[] = [];
    const dispatch = new Dispatch({
      ahead,
      sender: async () => client(fake),
      registry: new Map([['job', job({ timeout: '5m' })]]),
      log: (_level, event) => logged.push(event),
    });
    return { dispatch, logged };
  }

  test('a retry for its time and the first in the queue at once, each but once', async () => {
    const fake = await playCloudTasks();
    const { dispatch } = dispatching(fake);

    for (let turn = 0; turn < 3; turn += 1) dispatch.look(record);
    await dispatch.settled();

    expect(
      fake.tasks.map(({ httpRequest, scheduleTime }) => [
        httpRequest.url.split('/').at(-1),
        scheduleTime?.seconds ?? null,
      ]),
    ).toEqual([
      ['job%40a', String(Math.floor(AT / 1000))],
      ['job!b', null],
    ]);
  });

  test('one that was not taken is sent again with the next look', async () => {
    const fake = await playCloudTasks();
    const { dispatch, logged } = dispatching(fake);
    fake.fail(grpc.status.UNAVAILABLE, 2);

    dispatch.look(record);
    await dispatch.settled();
    dispatch.look(record);
    await dispatch.settled();

    expect(logged).toEqual(['dispatch_failed', 'dispatch_failed']);
    expect(fake.tasks).toHaveLength(2);
  });

  test('an occurrence that a tick could not carry, under the name of its run', async () => {
    const fake = await playCloudTasks();
    const { dispatch } = dispatching(fake);

    dispatch.due(record);
    dispatch.due(record);
    await dispatch.settled();

    expect(fake.tasks.map(({ httpRequest }) => httpRequest.url)).toEqual([
      'https://punctual.example.com/triggers/runs/job%4020260301T020000Z',
    ]);
  });

  test('nothing is connected to before something waits', async () => {
    let asked = 0;
    const dispatch = new Dispatch({
      ahead: true,
      sender: () => Promise.reject(new Error(`asked ${(asked += 1)}`)),
      registry: new Map(),
      log: () => undefined,
    });

    dispatch.look(jobRecord());
    await dispatch.close();

    expect(asked).toBe(0);
  });
});
