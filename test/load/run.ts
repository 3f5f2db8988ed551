/**
 * Puts real servers on SQLite under load, with the settings that everybody has unless said
 * otherwise, and looks whether all is on record, once, on time and at steady memory.
 *
 *   npm run load -- burst [--jobs 2000]          so many jobs, due in the same second
 *   npm run load -- hour [--jobs 10000] [--minutes 60]    200 runs a minute, as fast as it goes,
 *                                                once what it keeps beside its objects has settled
 *   npm run load -- flood [--seconds 60]         1,000 triggers a second at one job, then the same
 *                                                with the limit for each sender
 *   npm run load -- recovery                     what is found how soon after SIGKILL and SIGTERM;
 *                                                takes four minutes
 *   npm run load -- outage [--jobs 200] [--days 30]       how soon an outage is made good for
 *   npm run load -- rate [--jobs 500] [--seconds 30]      so many runs, each second
 *   npm run load -- retention [--runs 1000000]   a tenth of so many is deleted meanwhile
 *   npm run load -- api [--minutes 2]            200 bad requests a second beside scheduling
 *
 * `npm run soak` is the long one of this family. Others at work on the machine make figures worse.
 *
 * Exits 1 where a bar is missed, or anything is not as it was promised.
 */
import { parseArgs } from 'node:util';
import { BadUsage, one, usageOf, whole } from '../../scripts/usage.ts';
import { bad } from './bad.ts';
import { burst } from './burst.ts';
import { flood } from './flood.ts';
import { hour } from './hour.ts';
import { outage } from './outage.ts';
import { rate } from './rate.ts';
import { recovery } from './recovery.ts';
import { isWell, reportText, type Report } from './report.ts';
import { retention } from './retention.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const MAX_MINUTES = 7 * 24 * 60;
const USAGE = '../test/load/run.ts';

/** Ages of leases when their process is killed: soon after a beat, before one, and in between. */
const KILLS = [2000, 12_000, 24_000, 29_000, 45_000];
const STOPS = [1000, 10_000, 35_000];

interface Options {
  readonly jobs?: string;
  readonly minutes?: string;
  readonly seconds?: string;
  readonly days?: string;
  readonly runs?: string;
}

interface Part {
  readonly takes: readonly (keyof Options)[];
  readonly run: (options: Options) => readonly (() => Promise<Report>)[];
}

const PARTS: Readonly<Record<string, Part>> = {
  burst: {
    takes: ['jobs'],
    run: ({ jobs }) => [() => burst({ jobs: jobsOf(jobs, 2000), withinMs: 10 * SECOND_MS })],
  },
  hour: {
    takes: ['jobs', 'minutes'],
    run: ({ jobs, minutes }) => {
      const asked = { jobs: jobsOf(jobs, 10_000), minutes: minutesOf(minutes, 60) };
      return [
        () =>
          hour({ ...asked, warmUpMinutes: 150, everyMinutes: 5, growthMb: { heap: 10, rss: 10 } }),
      ];
    },
  },
  flood: {
    takes: ['seconds'],
    run: ({ seconds }) => {
      const ms = whole(seconds, 'seconds', 60, MAX_MINUTES * 60) * SECOND_MS;
      const asked = {
        perSecond: 1000,
        ms,
        calmMs: Math.min(ms / 2, 30 * SECOND_MS),
        warmUpMs: 60 * SECOND_MS,
      };
      return [
        () => flood({ ...asked, limited: false }),
        () => flood({ ...asked, ms: Math.min(ms, 20 * SECOND_MS), limited: true }),
      ];
    },
  },
  recovery: { takes: [], run: () => [() => recovery({ kills: KILLS, stops: STOPS })] },
  outage: {
    takes: ['jobs', 'days'],
    run: ({ jobs, days }) => {
      const asked = { jobs: jobsOf(jobs, 200), days: whole(days, 'days', 30, 3650) };
      return [() => outage({ ...asked, withinMs: 5 * SECOND_MS })];
    },
  },
  rate: {
    takes: ['jobs', 'seconds'],
    run: ({ jobs, seconds }) => {
      const ms = whole(seconds, 'seconds', 30, MAX_MINUTES * 60) * SECOND_MS;
      return [() => rate({ perSecond: jobsOf(jobs, 500), ms })];
    },
  },
  retention: {
    takes: ['runs'],
    run: ({ runs }) => {
      const records = whole(runs, 'runs', 1_000_000, 2_000_000);
      const deleted = Math.ceil(records / 10);
      return [() => retention({ records, deleted, calmMs: 20 * SECOND_MS })];
    },
  },
  api: {
    takes: ['minutes'],
    run: ({ minutes }) => {
      const ms = minutesOf(minutes, 2) * MINUTE_MS;
      return [() => bad({ perSecond: 200, ms, sliceMs: 20 * SECOND_MS })];
    },
  },
};

const jobsOf = (text: string | undefined, preset: number): number =>
  whole(text, 'jobs', preset, 20_000);
const minutesOf = (text: string | undefined, preset: number): number =>
  whole(text, 'minutes', preset, MAX_MINUTES);

for (const run of readArguments()) {
  const report = await run();
  process.stdout.write(`${reportText(report)}\n\n`);
  if (!isWell(report)) process.exitCode = 1;
}

function readArguments(): readonly (() => Promise<Report>)[] {
  const options = {
    jobs: { type: 'string' },
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    days: { type: 'string' },
    runs: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const { help, ...given } = values;
    if (help) {
      process.stdout.write(`${usageOf(USAGE)}\n`);
      process.exit(0);
    }
    const names = Object.keys(PARTS);
    const name = oneOfWords(one(positionals, `one of ${names.join(', ')}`), names);
    const part = PARTS[name];
    if (part === undefined) throw new BadUsage(`there is no part "${name}"`);
    const known: readonly string[] = part.takes;
    const odd = Object.keys(given).find((option) => !known.includes(option));
    if (odd !== undefined) throw new BadUsage(`${name} has no --${odd}`);
    return part.run(given);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${problem}\n\n${usageOf(USAGE)}\n`);
    process.exit(2);
  }
}

function oneOfWords(word: string, names: readonly string[]): string {
  if (names.includes(word)) return word;
  throw new BadUsage(`there is no part "${word}"; right would be one of ${names.join(', ')}`);
}
