import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Sends requests at a rate of its own, whether those before were answered or not. */

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sending<Kind extends Asked> {
  readonly url: string;
  readonly ms: number;
  /** Goes on after that until this is so, if it is not; but not for ever. */
  readonly isEnough?: () => boolean;
  readonly perSecond: number;
  /** The request of each number. */
  readonly make: (n: number) => Kind;
  /** Told of each answer; of none, in words why there was none. */
  readonly onAnswer: (asked: Kind, answer: Answer | string) => void;
}

export interface Sent {
  readonly sent: number;
  readonly answered: number;
  /** How many a second left, and were answered. */
  readonly perSecond: number;
}

/** So often it looks whether some have to leave. */
const BEAT_MS = 4;
/** With more on their way it waits, which makes its rate less. */
const ON_THE_WAY = 500;
const SOCKETS = 64;
const DEADLINE_MS = 30_000;
const LONGER_MS = 60_000;

export async function send<Kind extends Asked>(sending: Sending<Kind>): Promise<Sent> {
  const { url, ms, perSecond, make, onAnswer, isEnough = () => true } = sending;
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const { hostname, port } = new URL(url);
  const startedAt = performance.now();
  let [sent, answered, onTheWay] = [0, 0, 0];
  const one = async (asked: Kind): Promise<void> => {
    onTheWay += 1;
    const answer = await ask(asked, { agent, hostname, port });
    onTheWay -= 1;
    if (typeof answer === 'object') answered += 1;
    onAnswer(asked, answer);
  };
  const isOver = (spent: number): boolean => spent >= ms && (isEnough() || spent >= ms + LONGER_MS);
  for (let spent = 0; !isOver(spent); spent = performance.now() - startedAt) {
    const due = Math.floor((spent / 1000) * perSecond) - sent;
    const now = Math.min(due, ON_THE_WAY - onTheWay);
    for (let n = 0; n < now; n++) void one(make(sent++));
    await pause(BEAT_MS);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const inTime = answered;
  while (onTheWay > 0) await pause(BEAT_MS);
  agent.destroy();
  return { sent, answered, perSecond: inTime / seconds };
}

interface Where {
  readonly agent: Agent;
  readonly hostname: string;
  readonly port: string;
}

function ask({ path, headers, body }: Asked, where: Where): Promise<Answer | string> {
  return new Promise((resolve) => {
    const options = { ...where, path, method: 'POST', headers, timeout: DEADLINE_MS };
    const sent = request(options, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.on('error', (error) => resolve(error.message));
      res.on('end', () => {
        const { statusCode = 0 } = res;
        const text = Buffer.concat(parts).toString();
        resolve({ status: statusCode, headers: res.headers, text });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
    sent.on('error', (error) => resolve(error.message));
    sent.end(body);
  });
}
