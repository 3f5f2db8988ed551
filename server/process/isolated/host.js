import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

/*
 * The process of one isolated handler. Its main thread does nothing but pass messages between the
 * service and the handler's thread, and end it all: when the service is gone, when the lease has
 * run out (the service may stand still), and when too much memory is taken. It is JavaScript, which
 * starts sooner.
 */

/** @typedef {import('../../core/isolate.ts').Isolating} Isolating */
/** @typedef {import('../../core/isolate.ts').Order} Order */
/** @typedef {import('../../core/isolate.ts').Report} Report */
/** @typedef {Isolating & { readonly kind: 'start', readonly jobs: string }} Start */

const LOOK_EVERY_MS = 100;
/** What the thread needs beside the handler's heap: its code, its stack, young objects. */
const BESIDE_MB = 64;
const MIB = 1024 * 1024;

/** Nothing less ends a thread that is in a system call; and with it the commands that it runs. */
const endAll = () => process.kill(-process.pid, 'SIGKILL');

process.on('disconnect', endAll);
// What `--import` brings along may have let go of it, and nothing else keeps us here yet.
process.channel?.ref();
// Who stops a service at a terminal, or by its group, means the service: that says what is to stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.once('message', start);

/** @param {unknown} message */
function start(message) {
  const { task, jobs, memoryMb, lease } = /** @type {Start} */ (message);
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(new URL('worker.js', import.meta.url), {
    workerData: { task, jobs, lease, port: port2 },
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  let ends = lease.ends;
  let ended = false;
  /** @param {Report} report */
  const pass = (report) => {
    ended ||= report.kind === 'ended';
    say(report);
  };
  port.on('message', pass);
  process.on('message', (/** @type {Order} */ order) => {
    if (order.kind === 'lease') ends = order.ends;
    port.postMessage(order);
  });
  worker.on('error', (error) => broken(faultOf(error, memoryMb)));
  worker.on('exit', (code) => {
    // What it said last may not have been taken yet.
    for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port)) {
      pass(left.message);
    }
    if (ended) return void said.then(leave);
    const message = `process.exit(${code}) was called by its handler, or a module of the jobs`;
    broken({ name: 'Exited', message, stack: null });
  });

  const before = process.memoryUsage.rss();
  setInterval(() => {
    const grace = lease.graceMs;
    const now = Number(process.hrtime.bigint() / 1000n) / 1000;
    if (now > ends.monotonic + grace || Date.now() > ends.wall + grace) endAll();
    const taken = (process.memoryUsage.rss() - before) / MIB;
    if (taken > memoryMb + BESIDE_MB) broken(tooMuch(memoryMb));
  }, LOOK_EVERY_MS);
}

/**
 * Says how it ended where the handler can't, and ends.
 * @param {{ name: string, message: string, stack: string | null }} error
 */
function broken(error) {
  say({ kind: 'broken', error });
  void said.then(endAll);
}

/** Ends when all that was printed has been written, which a pipe may take its time for. */
async function leave() {
  const written = [process.stdout, process.stderr].map(
    (stream) => new Promise((resolve) => stream.write('', resolve)),
  );
  await Promise.all(written);
  process.exit();
}

/** Resolves when all that was said is on its way. */
let said = Promise.resolve();

/** @param {object} message */
function say(message) {
  const { promise, resolve } = Promise.withResolvers();
  process.send?.(message, resolve);
  said = promise;
}

/**
 * @param {unknown} thrown
 * @param {number} memoryMb
 */
function faultOf(thrown, memoryMb) {
  if (!(thrown instanceof Error)) {
    return { name: 'NonError', message: `its worker failed: threw ${String(thrown)}`, stack: null };
  }
  if (Reflect.get(thrown, 'code') === 'ERR_WORKER_OUT_OF_MEMORY') return tooMuch(memoryMb);
  const { name, message, stack = null } = thrown;
  return { name, message: `its worker failed: ${message}`, stack };
}

/** @param {number} memoryMb */
const tooMuch = (memoryMb) => {
  const message = `its handler took more memory than the ${memoryMb} MiB it may have`;
  return { name: 'OutOfMemory', message: `${message} (isolate.memoryMb)`, stack: null };
};
