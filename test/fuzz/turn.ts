import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import { Client, play, type Heard, type Patience } from './connection.ts';
import { draft, shellOf, wireOf, type Draft } from './draft.ts';
import { changeFaults, heardFaults, mayHaveChanged, routeOf, serverFaults } from './judge.ts';
import type { Outcome } from './judge.ts';
import { settle, type Place } from './place.ts';
import { leaveAfter, planNext, type Plan } from './plan.ts';
import type { Pool } from './pool.ts';
import type { Tally } from './tally.ts';

export interface Turn {
  readonly index: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly deadlineMs: number;
  /** What is known of another server. */
  readonly foreign: Pool;
}

/** So many, until all that there is, is compared to the last letter. */
const COMPARE_EVERY = 20;

/** One plan: made, sent, and judged. */
export async function take(place: Place, turn: Turn): Promise<void> {
  const { records, server } = place;
  const { index, random, tally, foreign } = turn;
  const plan = planNext({ ...place, foreign }, random);
  const whole = index % COMPARE_EVERY === 0 ? records.digest() : null;
  const heard = await send(place, plan, turn);
  const outcome: Outcome = { plan, heard };
  if (isCut(outcome)) {
    await atRest(place);
    if (mayHaveChanged(outcome)) await untilQuiet(place);
  }

  const faults = [...heardFaults(outcome), ...(await writeFaults(place, outcome, tally))];
  if (whole !== null && !mayHaveChanged(outcome)) {
    tally.compared += 1;
    if (records.digest() !== whole) faults.push('it changed the store: its digest is another');
  }
  faults.push(...serverFaults(place));
  note(outcome, place, tally);
  const where = { index, server: server.name, ...told(outcome, place) };
  for (const fault of faults) tally.fail({ fault, ...where });
}

async function writeFaults(
  place: Place,
  outcome: Outcome,
  tally: Tally,
): Promise<readonly string[]> {
  if (place.records.version() === place.known.version) {
    tally.unchanged += 1;
    return [];
  }
  const before = place.known.sketch;
  tally.unsettled += (await settle(place)) ? 0 : 1;
  return changeFaults(outcome, before, place.known.sketch);
}

/** Whether something may still be on its way to be done that nobody waits for. */
function isCut({ plan, heard }: Outcome): boolean {
  const [first] = heard;
  const isShort =
    plan.kind === 'script' && (first?.answers.length ?? 0) < plan.script.answersAtMost;
  return isShort || heard.some(({ end }) => end === 'left');
}

const LATE_MS = 15;
const QUIET_MS = 100;
const QUIET_LOOKS = 50;
const WELL = draft('', 'GET', '/healthz');

/** Gives what was left behind the time to be done: it came before, so it is taken before. */
async function atRest({ client, host }: Place): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await client.ask(wireOf(WELL, host), 'GET', { deadlineMs: 10_000, leaveAfterMs: null });
    await pause(LATE_MS);
  }
}

/** The next request would be blamed for what a slow machine writes for this one until then. */
async function untilQuiet({ records }: Place): Promise<void> {
  for (let [turn, before] = [0, NaN]; turn < QUIET_LOOKS && before !== records.version(); turn++) {
    before = records.version();
    await pause(QUIET_MS);
  }
}

async function send(
  { server, client, host }: Place,
  plan: Plan,
  { random, deadlineMs }: Turn,
): Promise<readonly Heard[]> {
  if (plan.kind === 'script') return [await play(server.port, plan.script, deadlineMs)];
  const ask = (one: Draft, by: Client): Promise<Heard> => {
    const patience: Patience = { deadlineMs, leaveAfterMs: leaveAfter(one, random) };
    return by.ask(wireOf(one, host), one.method, patience);
  };
  const [first, ...more] = plan.drafts;
  if (first !== undefined && more.length === 0) return [await ask(first, client)];
  // At the same time, so each on a connection of its own.
  return await Promise.all(
    plan.drafts.map(async (one) => {
      const own = new Client(server.port);
      try {
        return await ask(one, own);
      } finally {
        own.close();
      }
    }),
  );
}

/** Counts what came, and keeps what there is to learn from it. */
function note({ plan, heard }: Outcome, { pool }: Place, tally: Tally): void {
  for (const [i, { answers, tookMs, end }] of heard.entries()) {
    const one = plan.kind === 'requests' ? plan.drafts[i] : undefined;
    const route = plan.kind === 'script' ? plan.script.what : one === undefined ? '' : routeOf(one);
    for (const answer of answers) {
      tally.count(route, String(answer.status), tookMs);
      if (one !== undefined) pool.harvest(one, answer);
    }
    if (answers.length === 0) tally.count(route, end, tookMs);
    for (const done of one?.done ?? []) tally.mutation(done);
  }
}

/** What to tell of a plan, so that somebody can send it again. */
function told({ plan, heard }: Outcome, { host, server }: Place) {
  const by = plan.caller.name;
  if (plan.kind === 'script') {
    const { what, steps } = plan.script;
    const said = steps.map((step) => (typeof step === 'object' && 'say' in step ? step.say : ''));
    const bytes = Buffer.from(said.join(''), 'latin1');
    return { what, route: what, by, done: [], replay: [shellOf(bytes, server.port)] };
  }
  const [first] = plan.drafts;
  // Why nothing came may lie in what was said on the same connection before.
  const before = heard.flatMap((one) => (one.end === 'silent' ? (one.before ?? []) : []));
  const said = [...before, ...plan.drafts.map((one) => wireOf(one, host))];
  const replay = [...new Set(said.map((bytes) => shellOf(bytes, server.port)))];
  const done = plan.drafts.flatMap((one) => one.done);
  const what = first === undefined ? '' : `${first.method} ${first.path}`;
  return { what, route: first === undefined ? '' : routeOf(first), by, done, replay };
}
