import { setTimeout as pause } from 'node:timers/promises';
import { SECRET } from './canary.ts';
import { faultsOf } from './checks.ts';
import { Client, stall, type Heard } from './connection.ts';
import { draft, targetOf, wireOf, type Draft } from './draft.ts';
import { serverFaults } from './judge.ts';
import type { Place } from './place.ts';
import { STALLED } from './raw.ts';
import type { Memory } from './tally.ts';

/* What can only be told of many requests: memory, connections that stall, and what is left over. */

/** Memory is looked at so often, after the first part of a run, in which it may grow. */
const MEASURED = 6;
const WARM_UP = 0.4;
const STALLS_WITHIN_MS = 30_000;
const GONE_WITHIN_MS = 10_000;

/** Whether it is time to look at memory, when so many requests are done. */
export function isMeasured(done: number, requests: number): boolean {
  const first = Math.floor(requests * WARM_UP);
  const step = Math.max(1, Math.floor((requests - first) / (MEASURED - 1)));
  return done >= first && (done - first) % step === 0;
}

export async function measure(places: readonly Place[], done: number): Promise<Memory> {
  for (const place of places) place.client.close();
  const measured = await Promise.all(places.map(({ server }) => server.measure()));
  return {
    done,
    bytes: measured.map(({ bytes }) => bytes),
    blockedMs: measured.map(({ blockedMs }) => blockedMs),
  };
}

export function memoryFaults(memory: readonly Memory[], growthLimit: number): readonly string[] {
  const [first, last] = [memory[0], memory.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  return last.bytes.flatMap((bytes, i) => {
    const grown = bytes - (first.bytes[i] ?? 0);
    if (grown <= growthLimit) return [];
    const over = last.done - first.done;
    return [`memory grew by ${grown} bytes over ${over} requests: ${growthLimit} may be`];
  });
}

/** Begins what it does not end, and waits for what comes of it. */
export const stallAt = ({ server }: Place): Promise<readonly Heard[]> =>
  Promise.all(STALLED.map((said) => stall(server.port, said, STALLS_WITHIN_MS)));

export function stallFaults({ end, answers, fault }: Heard): readonly string[] {
  const wrong = answers.filter(({ status }) => ![401, 403, 408].includes(status));
  return [
    ...(end === 'silent' ? ['a connection that stalled was not closed'] : []),
    ...(fault === null ? [] : [`what came over a connection that stalled is no answer: ${fault}`]),
    ...wrong.map(({ status }) => `a connection that stalled was answered ${status}`),
  ];
}

/** What must be so when all have gone: no connection is left, no secret is kept, and it ends. */
export async function endFaults(place: Place): Promise<readonly string[]> {
  const { server, records, client } = place;
  client.close();
  if (server.hasEnded()) {
    // Its last words may still be on their way.
    await pause(200);
    return serverFaults(place);
  }
  const left = await connectionsLeft(place);
  const faults = [
    ...(left > 0 ? [`${left} connections are still open when everybody has gone`] : []),
    ...(records.has(SECRET) ? ['the store has what is secret in clear'] : []),
  ];
  faults.push(...(await partingFaults(place)));
  return [...faults, ...serverFaults(place).filter((one) => !one.startsWith('the server ended'))];
}

const LAST_WORDS = [
  draft('', 'GET', '/api/v1/jobs'),
  draft('', 'GET', '/timeline'),
  draft('', 'POST', '/api/v1/jobs/plain/runs'),
  draft('', 'POST', '/triggers/tick'),
];

/** Told to end, it answers who is still there, or hangs up; and it ends. */
async function partingFaults(place: Place): Promise<readonly string[]> {
  const { server, chief, host } = place;
  const clients = LAST_WORDS.map(() => new Client(server.port));
  const ask = async (client: Client, one: Draft): Promise<readonly string[]> => {
    const signed = chief.sign(one, host);
    const patience = { deadlineMs: GONE_WITHIN_MS, leaveAfterMs: null };
    const { answers } = await client.ask(wireOf(signed, host), one.method, patience);
    const asked = { method: one.method, target: targetOf(one) };
    return answers.flatMap((answer) => faultsOf(answer, asked, chief));
  };
  // On connections that are there: it takes no new ones then.
  await Promise.all(clients.map((client) => ask(client, WELL)));
  const ending = server.end();
  const heard = await Promise.all(
    LAST_WORDS.map((one, i) => ask(clients[i] ?? new Client(0), one)),
  );
  const ended = await ending;
  for (const client of clients) client.close();
  return [
    ...heard.flat().map((fault) => `when it was told to end: ${fault}`),
    ...(ended === 0 ? [] : [`the server ended with ${ended} when it was told to`]),
  ];
}

const WELL = draft('', 'GET', '/healthz');

async function connectionsLeft({ server }: Place): Promise<number> {
  const until = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const { resources } = await server.measure();
    const left = resources['TCPSocketWrap'] ?? 0;
    if (left === 0 || performance.now() > until) return left;
    await pause(200);
  }
}
