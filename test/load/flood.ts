import { setTimeout as pause } from 'node:timers/promises';
import type { Bar } from '../bench/section.ts';
import { account } from './account.ts';
import { quantile, spread } from './figures.ts';
import { Answers, makeTrigger } from './flood-answers.ts';
import { latenessIn, type Stretch } from './lateness.ts';
import { grownBars, memoryRows, under, type Report, type Row } from './report.ts';
import { send, type Sent } from './sender.ts';
import type { Holds } from './holds.ts';
import { openPlace, type Place, type Server } from './server.ts';
import { addSender } from './tokens.ts';

/** Far more triggers at one job than it could ever run, while others are due each second. */

export interface FloodOptions {
  readonly perSecond: number;
  readonly ms: number;
  /** How long nothing is sent, before and after, to compare with. */
  readonly calmMs: number;
  /** Sent to before anything is measured. */
  readonly warmUpMs: number;
  /** With the service's own limit for each sender, and a second one who keeps it; or without. */
  readonly limited: boolean;
}

const REST_MS = 1000;
const GROWTH_MB = 10;
/** What .env.example says. */
const LIMIT = { perSecond: 200, atOnce: 1000 } as const;
const MODEST_PER_SECOND = 10;

export async function flood(options: FloodOptions): Promise<Report> {
  const place = openPlace();
  try {
    const senders = options.limited ? await twoSenders(place) : NOBODY;
    const env = options.limited ? { PUNCTUAL_AUTH: 'tokens' } : UNLIMITED;
    const server = await place.start({ jobs: 'flood.ts', env });
    const found = await drown(server, options, senders);
    const odd = await server.stop();
    const journal = place.journal();
    const { runs, rows, wrong } = await account({ db: place.db, journal, waiting: true });
    const isOther = (job: string): boolean => job.startsWith('other-');
    const late = (stretches: readonly Stretch[]): readonly number[] =>
      stretches.flatMap((stretch) => latenessIn(journal, stretch, isOther));
    const [calm, flooded] = [late(found.calm), late([found.flooded])];
    return {
      title: `${options.perSecond} triggers a second for ${options.ms / 1000} s`,
      rows: [
        ['sent and answered a second', found.sent.perSecond],
        ...found.many.rows(),
        ...(options.limited ? limitedRows(found) : []),
        ['the others, left in peace', spread(calm)],
        ['the others, during the flood', spread(flooded)],
        ['p99, times', quantile(flooded, 0.99) / quantile(calm, 0.99)],
        ...memoryRows(found.before, found.after),
        ...rows,
      ],
      bars: barsOf(options, found, flooded),
      wrong: [
        ...wrong,
        ...found.many.untrue(runs),
        ...found.modest.filter((status) => status === 429).map(() => 'the modest one got 429'),
        ...place.errors(),
        ...odd,
      ],
    };
  } finally {
    await place.close();
  }
}

const limitedRows = ({ refused, modest }: Drowned): readonly Row[] => [
  ['refused with 429, and Retry-After', refused],
  ['answers to a second sender, none of them 429', modest.length],
];

function barsOf(
  { perSecond, ms, limited }: FloodOptions,
  { sent, refused, before, after }: Drowned,
  late: readonly number[],
): readonly Bar[] {
  const most = LIMIT.atOnce + (LIMIT.perSecond * (ms + SLACK_MS)) / 1000;
  const taken = { what: 'taken, within the limit', measured: sent.answered - refused, unit: '' };
  return [
    {
      what: 'sent and answered a second',
      measured: sent.perSecond,
      unit: '',
      bound: { atLeast: perSecond * REACHED },
    },
    ...(limited
      ? [
          { ...taken, bound: { under: most } },
          { ...taken, bound: { atLeast: Math.min(most, sent.sent) * REACHED } },
        ]
      : []),
    under('the others, p50', quantile(late, 0.5), 50, 'ms'),
    under('the others, p99', quantile(late, 0.99), 250, 'ms'),
    // Twenty seconds are too short for what the engine takes beside its objects to settle.
    ...grownBars(before, after, { heap: GROWTH_MB, rss: limited ? SHORTLY_MB : GROWTH_MB }),
  ];
}

/** A sender has to come so close to what it is told. */
const REACHED = 0.9;
const SLACK_MS = 1000;
const SHORTLY_MB = 40;

const UNLIMITED = { PUNCTUAL_TRIGGERS_PER_SECOND: '0' } as const;
const NOBODY: Senders = { many: undefined, modest: undefined };

interface Senders {
  readonly many: string | undefined;
  readonly modest: string | undefined;
}

async function twoSenders({ db }: Place): Promise<Senders> {
  const [many, modest] = [await addSender(db, 'many'), await addSender(db, 'modest')];
  return { many, modest };
}

interface Drowned {
  readonly calm: readonly Stretch[];
  readonly flooded: Stretch;
  readonly sent: Sent;
  readonly many: Answers;
  /** How many were too many, by the limit for each sender. */
  readonly refused: number;
  /** What another sender was answered meanwhile. */
  readonly modest: readonly number[];
  readonly before: Holds;
  readonly after: Holds;
}

async function drown(server: Server, options: FloodOptions, by: Senders): Promise<Drowned> {
  const { url } = server;
  const { perSecond, ms, calmMs, warmUpMs, limited } = options;
  const many = new Answers([limited ? 429 : 200, 202, 409, 422]);
  const modest: number[] = [];
  let number = 0;
  const make = () => makeTrigger(number++, by.many);
  await send({ url, ms: warmUpMs, perSecond, make, onAnswer: many.hear });
  // Whoever has sent too much has to wait until as much as before may be sent at once.
  await pause(limited ? (LIMIT.atOnce / LIMIT.perSecond) * 1000 + REST_MS : REST_MS);
  const before = await server.holds();
  const calm = [await during(() => pause(calmMs))];
  const before429 = many.count(429);
  let sent: Sent | undefined;
  const flooded = await during(async () => {
    const modestly = () => makeTrigger(number++, by.modest);
    const hear: typeof many.hear = (asked, answer) => {
      many.hear(asked, answer);
      if (typeof answer === 'object') modest.push(answer.status);
    };
    const other = { url, ms, perSecond: MODEST_PER_SECOND, make: modestly, onAnswer: hear };
    const others = limited ? send(other) : undefined;
    const isEnough = () => many.lacking().length === 0;
    sent = await send({ url, ms, perSecond, make, onAnswer: many.hear, isEnough });
    await others;
  });
  await pause(REST_MS);
  calm.push(await during(() => pause(calmMs)));
  const after = await server.holds();
  if (sent === undefined) throw new Error('nothing was sent');
  const refused = many.count(429) - before429;
  return { calm, flooded, sent, many, refused, modest, before, after };
}

async function during(work: () => Promise<unknown>): Promise<Stretch> {
  const from = Date.now();
  await work();
  return { from, to: Date.now() };
}
