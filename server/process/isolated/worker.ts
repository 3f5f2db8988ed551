import { pathToFileURL } from 'node:url';
import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { Aborted, watchfulSignal, WHY } from '../../core/abort.ts';
import { callHandler, type Result } from '../../core/handler.ts';
import type { Isolating, Order } from '../../core/isolate.ts';
import { isJob } from '../../core/job.ts';
import { LeaseClock } from '../../core/lease-clock.ts';
import { jobLog, lineOf } from '../../core/log-line.ts';
import { describeError } from '../../core/outcome.ts';
import { Scrubber } from '../../core/secrets/scrubber.ts';
import { sleep } from '../../core/time.ts';
import { systemClock as clock } from '../clock.ts';
import { Outbox } from './outbox.ts';
import type { Said } from './said.ts';

/* The thread of one isolated handler: calls it, and tells by messages what it does. */

interface Data extends Omit<Isolating, 'memoryMb'> {
  readonly jobs: string;
  readonly port: MessagePort;
}

const PRINTED_WITHIN_MS = 500;
// Kept from the start: a handler may patch what it likes of its own thread.
const exit = process.exit.bind(process);
const { task, jobs, lease, port }: Data = workerData;
// What a handler does not find it can't say anything by.
delete workerData.port;
const post: (said: Said) => void = port.postMessage.bind(port);
const scrubber = new Scrubber((texts) => post({ kind: 'secrets', texts }));
const abort = new AbortController();
const leaseClock = new LeaseClock(clock, lease.ends);
const outbox = new Outbox({ clock, post, look });
let scratch: PromiseWithResolvers<string> | undefined;
let stopped = false;
let ended = false;

/** Takes what was said meanwhile, though the handler may never let go of its thread. */
function look(): void {
  for (;;) {
    const found = receiveMessageOnPort(port);
    if (found === undefined) break;
    take(found.message);
  }
  if (leaseClock.isOver()) stop('lease_lost', WHY.lease_lost);
}

function take(order: Order): void {
  switch (order.kind) {
    case 'abort':
      return stop(order.reason, order.detail);
    case 'lease':
      leaseClock.ends = order.ends;
      return;
    case 'heard':
      return outbox.heard(order.lines);
    case 'scratch':
      if (order.path === null) scratch?.reject(new Error(order.error ?? 'there is no folder'));
      else scratch?.resolve(order.path);
  }
}

function stop(reason: Aborted['reason'], detail: string): void {
  // Not asked of the signal, which would look again.
  if (stopped) return;
  stopped = true;
  abort.abort(new Aborted(reason, detail));
}

function askForScratch(): Promise<string> {
  if (scratch === undefined) {
    scratch = Promise.withResolvers();
    post({ kind: 'scratch' });
  }
  return scratch.promise;
}

async function work(): Promise<Result> {
  try {
    const module: object = await import(pathToFileURL(jobs).href);
    const list: unknown = Reflect.get(module, 'default');
    const named = Array.isArray(list) ? list.filter(isJob) : [];
    const job = named.find(({ name }) => name === task.job);
    if (job === undefined) throw new Error(`it has no job "${task.job}" this time`);
    post({ kind: 'begun' });
    return await callHandler(job, task, around);
  } catch (error) {
    const { message, ...rest } = describeError(error, scrubber.text);
    return { output: null, error: { ...rest, message: `the registry ${jobs}: ${message}` } };
  }
}

/** The first end counts. */
function end(result: Result): void {
  if (ended) return;
  ended = true;
  outbox.flush();
  post({ kind: 'ended', result });
  // What was printed goes by way of the main thread, which says so when it has it.
  const printed = [process.stdout, process.stderr].map(
    (stream) => new Promise((resolve) => stream.write('', resolve)),
  );
  void Promise.race([Promise.all(printed), sleep(clock, PRINTED_WITHIN_MS)]).then(() => exit());
}

/** What comes from no promise of the handler's fails it, as it would in the service's process. */
const stray = (how: string) => (thrown: unknown) => {
  const error = describeError(thrown, scrubber.text);
  end({ output: null, error: { ...error, message: `${how}: ${error.message}` } });
};
process.on('unhandledRejection', stray('a promise was rejected and nobody awaited it'));
process.on('uncaughtException', stray('an exception was thrown in a callback'));

port.on('message', take);
const signal = watchfulSignal(abort, look);
const log = jobLog((said) => outbox.add(lineOf(said, clock.wall(), scrubber)));
const onProgress = outbox.progress;
const around = { clock, signal, log, onProgress, scratch: askForScratch, scrubber };
const result = await work();
// A promise that the handler left behind rejects within this turn: it counts as the handler's.
await sleep(clock, 0);
end(result);
