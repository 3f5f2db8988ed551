import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { NOTHING, PROCESS } from './core/carrier.ts';
import type { Deps, Log } from './core/deps.ts';
import { noteInstance } from './core/instances.ts';
import { keepWakes } from './core/last-wake.ts';
import { checkDates } from './core/past.ts';
import { keepRegistered, registerJobs } from './core/register.ts';
import type { Registry } from './core/registry.ts';
import { Runner } from './core/runner.ts';
import { isBilled, type Store } from './core/store.ts';
import { sleep, type Clock } from './core/time.ts';
import { makeServer } from './http/server.ts';
import { Observer } from './observe/observer.ts';
import { newId, ownerName } from './process/identity.ts';
import { randomFraction } from './process/randomness.ts';
import { isolateIn } from './process/isolated/open.ts';
import { ScratchRoot } from './process/scratch.ts';
import { tallied } from './stores/tallied.ts';
import type { Dispatch } from './triggers/dispatch.ts';
import { Presence, Timer } from './triggers/timer.ts';

/** How long a stop waits for handlers that heed their signal; App Engine gives little more. */
const DRAIN_MS = 4000;
/** How long it waits for its note of itself to be taken away. */
const FORGET_MS = 500;
/** How long it waits for alerts to be sent. */
const TELL_MS = 2000;

export interface Service {
  readonly deps: Deps;
  readonly timer: Timer;
  /** Starts to listen and to wake; gives the address for people. Rejects when the port is taken. */
  listen(): Promise<string>;
  /** Takes no more work, lets handlers stop, and closes all. Gives how many did not stop. */
  stop(): Promise<number>;
  /** Resolves when only handlers that do not stop are left, in a process that can be replaced. */
  readonly givenUp: Promise<void>;
}

/** Puts the parts together. Nothing listens or wakes before `listen`. */
export function makeService(
  config: Config,
  parts: {
    readonly registry: Registry;
    readonly store: Store;
    readonly clock: Clock;
    readonly log: Log;
    /** Who asks for requests that carry what waits; nobody, if not given. */
    readonly dispatch?: Dispatch | null;
  },
): Service {
  const scratch = new ScratchRoot(parts.log);
  const presence = new Presence(config.timing.lateAfterMs);
  const runner = new Runner({
    max: config.maxRunning,
    replaceable: config.google.platform !== null,
  });
  const { dispatch = null, ...own } = parts;
  let base = config.google.serviceUrl;
  const observer = makeObserver(config, parts, () => base);
  const deps: Deps = {
    ...own,
    store: tallied(own.store),
    random: randomFraction,
    newId,
    timing: config.timing,
    owner: ownerName(),
    build: config.build,
    project: config.firestore.project,
    namespace: config.namespace,
    zoneData: process.versions.tz ?? 'unknown',
    upSince: () => presence.since,
    scratch: (attemptId) => scratch.for(attemptId),
    isolate: isolateIn(config.jobs),
    runner,
    carrier: config.wake === 'timer' ? PROCESS : NOTHING,
    requestMs: config.google.requestDeadlineMs,
    dispatch,
    trouble: () => presence.trouble,
    wakes: keepWakes(),
    cipher: config.cipher,
    observer,
  };
  const timer = new Timer(deps, presence);
  runner.onChange = () => timer.poke();
  let handedBack = false;
  runner.onRecord = (record) => {
    timer.noted(record);
    dispatch?.look(record);
    handedBack ||= runner.draining && record.retries.length > 0;
  };
  const app = createApp(deps, { google: config.google, access: config.access });
  const server = makeServer(app, { log: deps.log });
  const instance = noteInstance(deps);
  const seen = keepRegistered(deps, () => instance.note());
  const givenUp = new Promise<void>((resolve) => (runner.onGivenUp = resolve));
  return {
    deps,
    timer,
    givenUp,
    async listen() {
      await checkDates(deps);
      await registerJobs(deps, { adopt: false, check: true });
      const address = await listenOn(server, config);
      base ??= address;
      if (config.wake === 'timer') timer.start();
      seen.start();
      // A start that is billed costs no more than it has to: the note comes with the first beat.
      if (!isBilled(deps.store)) void instance.note();
      void scratch.sweep();
      return address;
    },
    async stop() {
      seen.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const woken = timer.stop();
      const left = await runner.drain(deps, DRAIN_MS);
      await Promise.race([woken, sleep(parts.clock, DRAIN_MS)]);
      const told = observer.close(TELL_MS);
      // What was handed back can go on at once, in another process.
      if (handedBack) dispatch?.wakeAll();
      await Promise.race([instance.remove(), sleep(parts.clock, FORGET_MS)]);
      server.closeAllConnections();
      await closed;
      await scratch.close();
      await told;
      await dispatch?.close();
      await parts.store.close();
      return left;
    },
  };
}

function makeObserver(
  { alerts, build, wake }: Config,
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  base: () => string | null,
): Observer {
  const parts = alerts && { config: alerts, clock, log, build, base };
  return new Observer(parts, { standsStill: wake === 'tick' });
}

function listenOn(server: Server, { port, host }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      const actual = isAddress(address) ? address.port : port;
      const shown = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
      resolve(`http://${shown}:${actual}`);
    });
  });
}

const isAddress = (value: AddressInfo | string | null): value is AddressInfo =>
  typeof value === 'object' && value !== null;
