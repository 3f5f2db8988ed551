import type { Config } from '../config.ts';
import type { Log } from '../core/deps.ts';
import type { Registry } from '../core/registry.ts';
import { Dispatch } from './dispatch.ts';

/**
 * Who makes requests come for what waits: Cloud Tasks, if a queue is set; else each job's own Cloud
 * Scheduler job is told to run. Null where the process itself carries all, or nobody is set.
 */
export function openDispatch(config: Config, registry: Registry, log: Log): Dispatch | null {
  const { location, serviceUrl, schedulerAccount, tasksAccount, tasksQueue } = config.google;
  const { project } = config.firestore;
  if (config.wake === 'timer' || project === null || location === null) return null;
  const parts = { registry, log };
  if (tasksQueue !== null && serviceUrl !== null && tasksAccount !== null) {
    const endpoint = config.google.tasksEndpoint;
    const place = { project, location, queue: tasksQueue, serviceUrl, account: tasksAccount };
    return new Dispatch({
      ...parts,
      ahead: true,
      async sender() {
        const { CloudTasks } = await import('./cloud-tasks.ts');
        return new CloudTasks({ ...place, endpoint });
      },
    });
  }
  if (schedulerAccount === null) return null;
  const endpoint = config.google.schedulerEndpoint;
  return new Dispatch({
    ...parts,
    ahead: false,
    async sender() {
      const { CloudScheduler } = await import('./cloud-scheduler.ts');
      const { tickId, triggerId } = await import('./scheduler-wanted.ts');
      const place = { project, location, account: schedulerAccount, endpoint };
      const scheduler = new CloudScheduler(place);
      const run = async (id: string): Promise<void> => {
        if (await scheduler.run(id)) return;
        throw new Error(`there is no Cloud Scheduler job ${id}: npm run scheduler:sync makes it`);
      };
      return {
        send: (_sending, job) => run(triggerId(config.namespace, job, 0)),
        tick: () => run(tickId(config.namespace)),
        close: () => scheduler.close(),
      };
    },
  });
}
