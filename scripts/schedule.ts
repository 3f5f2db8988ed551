/**
 * What a schedule means: in words, when it comes, and what it does when clocks are changed.
 *
 *   npm run schedule -- "30 2 * * *" America/New_York
 *   npm run schedule -- "0 9 * * 1-5; 0 12 * * 6"     several in one; without a time zone, UTC
 *   npm run schedule -- "every 90m"                   or a period, or "at 2027-03-01T18:00"
 *
 *   --from 2026-03-07T00:00:00Z   as seen from then; now, if not given
 *   --count 10                    so many occurrences
 *   --previous                    the last ones before that instant, the latest first
 *   --name nightly-report         the job that H is drawn for
 *   --json                        { expression, timeZone, words, occurrences, warnings }
 *
 * Exits 2, with the reason, where the schedule is refused.
 */
import { parseArgs } from 'node:util';
import { explain, lastOccurrences, type ClockChange } from '../server/core/explain.ts';
import { parseSchedule, type Schedule } from '../server/core/schedule.ts';
import { isoInstant, parseInstant } from '../server/core/time.ts';
import { changeWords, harmless, warnings } from '../views/clock-changes.ts';
import { describe } from '../views/schedule-words.ts';
import { occurrenceLines } from './occurrences.ts';
import { fail } from './open.ts';
import { BadUsage, usageOf, whole } from './usage.ts';

const COUNT_LIMIT = 100_000;

try {
  main();
} catch (error) {
  fail(error);
}

function main(): void {
  const { values, words } = readArguments();
  const [expression, timeZone = 'UTC', ...more] = words;
  if (values.help || expression === undefined) {
    console.log(usageOf('schedule.ts'));
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (more.length > 0) {
    throw new BadUsage(`expected a schedule in quotes and a time zone, got ${more.join(' ')} too`);
  }
  const schedule = read(expression, timeZone, values.name);
  const from = instant(values.from);
  const count = whole(values.count, 'count', 10, COUNT_LIMIT);
  const { occurrences, clockChanges } = explain(schedule, from, count);
  const shown = values.previous ? lastOccurrences(schedule, from, count) : occurrences;
  if (!values.json) {
    console.log(`${schedule.text}  ${timeZone}\n${describe(schedule)}\n`);
    if (shown.length === 0) console.log(`  none ${values.previous ? 'before' : 'after'} that`);
    for (const line of occurrenceLines(schedule, shown)) console.log(line);
    if (clockChanges.length > 0) console.log(`\n${clockChanges.flatMap(told).join('\n')}`);
    return;
  }
  const answer = {
    expression,
    timeZone,
    words: describe(schedule),
    occurrences: shown.map(isoInstant),
    warnings: warnings(clockChanges),
  };
  console.log(JSON.stringify(answer, null, 2));
}

function readArguments() {
  const given = process.argv.slice(2);
  // Cron text with a typing error may begin with a hyphen, and is no option for that.
  const text = given.find((word) => /^-[^-].*\s/.test(word));
  const { values, positionals } = parseArgs({
    args: given.filter((word) => word !== text),
    allowPositionals: true,
    options: {
      count: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      name: { type: 'string', default: '' },
      previous: { type: 'boolean', default: false },
    },
  });
  return { values, words: text === undefined ? positionals : [text, ...positionals] };
}

function read(expression: string, timeZone: string, name: string): Schedule {
  const parsed = parseSchedule({ schedule: expression, timeZone }, name);
  if ('schedule' in parsed) return parsed.schedule;
  throw new BadUsage(
    parsed.problems.map(({ field, message }) => `${field}: ${message}`).join('\n'),
  );
}

function instant(text: string | undefined): number {
  const at = text === undefined ? Date.now() : parseInstant(text);
  if (at !== undefined) return at;
  throw new BadUsage(`--from is "${text}"; right would be such as 2026-03-07T07:30:00Z`);
}

/** A clock change that does no harm is told, too: it is what a person came to ask. */
function told(change: ClockChange): string[] {
  const calm = harmless(change);
  return calm === undefined ? warnings([change]) : [`${changeWords(change)}; ${calm}`];
}
