import type { Job } from '../../server/core/job.ts';
import { openService, type TestService } from '../service.ts';
import { receiver, type Receiver } from './receiver.ts';

export interface Alerting {
  readonly service: TestService;
  readonly site: Receiver;
  /** What was received, when all that was to be told was told. */
  readonly told: () => Promise<Record<string, any>[]>;
}

/** Where alerts go that a receiver on this machine gets. */
export const alertEnv = (site: Receiver): Record<string, string> => ({
  PUNCTUAL_ALERT_URL: `${site.url}/hooks/k3y-of-the-hook`,
  PUNCTUAL_ALERT_PRIVATE: 'yes',
  PUNCTUAL_BUILD: 'build-7',
});

/** The service, which tells a receiver. Runs start as the test wakes them. */
export async function alerting(
  jobs: readonly Job[],
  options: Parameters<typeof openService>[1] = {},
): Promise<Alerting> {
  const site = await receiver();
  // As in the cloud, where whoever carries a run waits until all is told.
  const env = { PUNCTUAL_WAKE: 'tick', ...alertEnv(site), ...options.env };
  const service = await openService(jobs, { ...options, env });
  return {
    service,
    site,
    async told() {
      await service.deps.observer?.settled(60_000);
      return site.received.map(({ body }) => body);
    },
  };
}

/** What happens while the clock goes on until something is over. */
export async function while_<Value>(
  { clock }: Pick<TestService, 'clock'>,
  stepMs: number,
  going: Promise<Value>,
): Promise<Value> {
  let done = false;
  void going.finally(() => (done = true)).catch(() => undefined);
  for (let turn = 0; turn < 1000 && !done; turn += 1) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await going;
}

/** Fails while it is told to. */
export function switched() {
  const state = { fails: true };
  const run = (): string => {
    if (state.fails) throw new Error('the database is away');
    return 'fine';
  };
  return { state, run };
}
