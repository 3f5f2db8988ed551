/**
 * Runs real servers on SQLite for as long as told, with fifty jobs of each minute and five of each
 * second. One is killed (SIGKILL) every 30 to 120 s and started again: afterwards every occurrence
 * has to be accounted for. Beside it one is left in peace, and measured each minute: what grows in
 * it is told by the hour. Pages of both are opened all the time.
 *
 *   npm run soak                            30 minutes, and three more to find what was lost
 *   npm run soak -- --minutes 480           so many
 *   npm run soak -- --seed 7                kills at other instants
 *   npm run soak -- --only calm             the one in peace alone, or `struck`
 *
 * Exits 1 where a bar is missed, or anything is not as it was promised.
 */
import { parseArgs } from 'node:util';
import { BadUsage, oneOf, usageOf, whole } from '../../scripts/usage.ts';
import { calm } from './calm.ts';
import { isWell, reportText, type Report } from './report.ts';
import { struck } from './struck.ts';

const PRESET_MINUTES = 30;
const MAX_MINUTES = 28 * 24 * 60;
const WARM_UP_MS = 300_000;
const SAMPLE_EVERY_MS = 60_000;
const LIVES = [30_000, 120_000] as const;

const { minutes, seed, only } = readArguments();
const ms = minutes * 60_000;
const progress = { calm: '', struck: '' };
const onProgress = (which: keyof typeof progress) => (text: string) => {
  progress[which] = text;
  note(Object.values(progress).join('; '));
};
const asked: Promise<Report>[] = [];
if (only !== 'struck') {
  const options = { ms, warmUpMs: WARM_UP_MS, sampleEveryMs: SAMPLE_EVERY_MS };
  asked.push(calm({ ...options, onProgress: onProgress('calm') }));
}
if (only !== 'calm') {
  asked.push(struck({ ms, seed, lives: LIVES, onProgress: onProgress('struck') }));
}
const reports = await Promise.all(asked);
note('');
for (const report of reports) process.stdout.write(`${reportText(report)}\n\n`);
process.exitCode = reports.every(isWell) ? 0 : 1;

function readArguments() {
  const options = {
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'both' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(`${usageOf('../test/load/soak.ts')}\n`);
      process.exit(0);
    }
    return {
      minutes: whole(values.minutes, 'minutes', PRESET_MINUTES, MAX_MINUTES),
      seed: values.seed,
      only: oneOf(values.only, 'only', ['both', 'calm', 'struck']),
    };
  } catch (error) {
    const usage = error instanceof BadUsage ? error.message : String(error);
    process.stderr.write(`${usage}\n\n${usageOf('../test/load/soak.ts')}\n`);
    process.exit(2);
  }
}

/** One line that is written over by the next. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
