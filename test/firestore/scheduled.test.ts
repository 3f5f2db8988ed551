import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { fakeScheduler } from '../triggers/fake-scheduler.ts';
import { deliveries, type Target } from '../triggers/play-scheduler.ts';
import { conclude, violationsOf } from '../chaos/afterwards.ts';
import { openFleet, type Fleet } from '../chaos/fleet.ts';
import { firestoreGround } from '../chaos/ground.ts';
import { jobName } from '../chaos/kinds.ts';
import { figures } from '../chaos/report.ts';
import { tempFolder } from '../process/server.ts';
import { emulator } from './fixture.ts';

/**
 * The whole path on real processes: a program that behaves as Cloud Scheduler does sends its
 * triggers to two servers that share one Firestore, and have CPU for handlers in requests only. The
 * long form takes ten minutes, and another seed each time.
 */
const LONG = process.env['PUNCTUAL_TEST_LONG'] === '1';
const FORM = LONG
  ? { jobs: 20, forMs: 600_000, seed: `${Date.now()}` }
  : { jobs: 6, forMs: 20_000, seed: 'short' };
const { seed = FORM.seed } = { seed: process.env['PUNCTUAL_TEST_SEED'] };
const SERVERS = 2;
/** To start servers, and to end them, on a machine that other tests keep busy. */
const AROUND_MS = 180_000;

const WEATHER = {
  lost: 0.03,
  doubled: 0.15,
  late: 0.1,
  early: 0.2,
  retried: 0.15,
  forced: 0.05,
} as const;
describe.skipIf(emulator === null)(
  'Cloud Scheduler’s ways, on two servers and one Firestore',
  () => {
    const timeout = FORM.forMs + AROUND_MS;

    test(
      `run nothing twice and leave nothing unexplained (seed ${seed})`,
      { timeout },
      async () => {
        const scheduler = await fakeScheduler();
        const ground = firestoreGround({ emulator: emulator ?? '' });
        const { tickMs } = ground;
        const fleet = await openFleet({
          ground,
          folder: tempFolder(),
          scope: { onEnd: onTestFinished },
          servers: SERVERS,
          jobs: FORM.jobs,
          env: {
            PUNCTUAL_WAKE: 'tick',
            PUNCTUAL_LOCATION: 'europe-west1',
            PUNCTUAL_SERVICE_URL: 'https://punctual.example.com',
            PUNCTUAL_SCHEDULER_ACCOUNT: 'cron@shop.iam.gserviceaccount.com',
            PUNCTUAL_SCHEDULER_ENDPOINT: scheduler.address,
            PUNCTUAL_REQUEST_DEADLINE_MS: '60000',
          },
        });
        const sender = new Sender(fleet);
        const names = Array.from({ length: FORM.jobs }, (_, n) => jobName(n));
        for (const name of names) {
          scheduler.jobs.set(`punctual-default-job-${name}`, {} as never);
        }
        scheduler.afterwards = (method, id) => {
          if (method !== 'runJob') return;
          const name = id.replace('punctual-default-job-', '');
          sender.post(`/triggers/jobs/${name}`, 0, 'told to run');
        };
        const targets: Target[] = [
          { path: '/triggers/tick', schedule: `every ${tickMs / 1000}s`, timeZone: 'UTC' },
          ...names.map((name) => ({
            path: `/triggers/jobs/${name}`,
            schedule: 'every 10s',
            timeZone: 'UTC',
          })),
        ];
        const from = Date.now();
        const span = { from, to: from + FORM.forMs };
        // A tick comes oftener here than every minute, so all delays are as much shorter.
        const scale = tickMs / 60_000;
        const plan = { weather: WEATHER, random: new Random(seed), servers: SERVERS, scale };

        for (const { at, path, server, scheduleTime } of deliveries(targets, span, plan)) {
          await wait(Math.max(0, at - Date.now()));
          sender.post(path, server, scheduleTime);
        }
        const ticking = setInterval(() => sender.post('/triggers/tick', 1, 'later'), tickMs);
        const outcome = await conclude(fleet).finally(() => clearInterval(ticking));

        const title = `${SERVERS} servers, ${FORM.jobs} jobs, ${FORM.forMs / 1000} s`;
        process.stdout.write(figures(title, outcome, { triggers: sender.sent, ...sender.answers }));
        expect(violationsOf(outcome)).toEqual([]);
        // A busy emulator makes its servers unavailable for moments; a scheduler asks again.
        const { 'answered 503': _, ...answers } = sender.answers;
        expect(Object.keys(answers)).toEqual(['answered 200']);
        expect(outcome.found.attempts.size).toBeGreaterThan(FORM.jobs);
      },
    );
  },
);

/** Delivers triggers, and counts what they are answered. */
class Sender {
  readonly answers: Record<string, number> = {};
  readonly #fleet: Fleet;
  sent = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  post(path: string, server: number, scheduleTime: string): void {
    this.sent += 1;
    const url = `${this.#fleet.urls[server]}${path}`;
    const headers = { 'X-CloudScheduler': 'true', 'X-CloudScheduler-ScheduleTime': scheduleTime };
    void fetch(url, { method: 'POST', headers }).then(
      ({ status }) => this.#answered(`answered ${status}`),
      // Servers end while the last ticks are under way.
      () => undefined,
    );
  }

  #answered(what: string): void {
    this.answers[what] = (this.answers[what] ?? 0) + 1;
  }
}
