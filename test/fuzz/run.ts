/**
 * Sends requests that nobody should send, and many that anybody may, to real servers, and looks
 * whether one of them does harm: an answer of 5xx or none at all, a write where there was a
 * refusal, markup that comes to life, a secret that shows, memory or connections that are not
 * given back. All requests are made of a seed.
 *
 *   npm run fuzz                                    20,000 requests, from a seed of today
 *   npm run fuzz -- --seed 7 --requests 100000      so many, from that seed
 *
 * Prints how many a second, which statuses came how often, and which of the OpenAPI document came
 * never. What is wrong is printed with the seed and the number of its request, and so that it can
 * be sent again by itself; then it exits 1.
 */
import { parseArgs } from 'node:util';
import { BadUsage, usageOf, whole } from '../../scripts/usage.ts';
import { fuzz } from './fuzz.ts';
import { reportText } from './report.ts';

const PRESET = 20_000;
const MAX = 10_000_000;
const FAILURES_LIMIT = 40;
const DEADLINE_MS = 10_000;
const MB = 1024 * 1024;

const asked = readArguments();
print(`seed ${asked.seed}`);
const report = await fuzz({
  ...asked,
  deadlineMs: DEADLINE_MS,
  growthLimit: 6 * MB + asked.requests * 100,
  stalls: true,
  failuresLimit: FAILURES_LIMIT,
  onProgress: (done) => note(`${done} of ${asked.requests}`),
});
note('');
print(reportText(report));
process.exitCode = report.failures.length === 0 ? 0 : 1;

function readArguments(): { readonly seed: string; readonly requests: number } {
  const options = {
    seed: { type: 'string' },
    requests: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      print(usageOf('../test/fuzz/run.ts'));
      process.exit(0);
    }
    const today = new Date().toISOString().slice(0, 10);
    const requests = whole(values.requests, 'requests', PRESET, MAX);
    return { seed: values.seed ?? today, requests };
  } catch (error) {
    process.stderr.write(`${error instanceof BadUsage ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

/** One line that is written over by the next. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function print(what: string): void {
  process.stdout.write(`${what}\n`);
}
