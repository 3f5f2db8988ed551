/**
 * Kills, stops and ends real servers at random while their jobs run and people ask them for runs,
 * cancels and pauses; then looks whether every promise of docs/guarantees.md was kept: by a journal
 * that the handlers write past the store, by the records, by the audit, and by what people were
 * answered. Three servers share one SQLite file, with 40 jobs due each second; or Firestore's
 * official emulator, by a bad connection, with 20 jobs due every 10 s.
 *
 *   npm run chaos                                   for 2 minutes on SQLite, from a new seed
 *   npm run chaos -- --kills 500                    until 500 servers were killed
 *   npm run chaos -- --store firestore --minutes 10 --seed 7
 *   npm run chaos -- --minutes 1 --plant 'has no grace'      with a fault that it is to find
 *
 * A seed draws what strikes whom, what people ask for, and what becomes of each call; when it comes
 * is also up to the machine. Prints what it came to. What is not as promised is printed with the
 * command that does the same again, and stays in a folder with the journal, the database and what
 * servers printed; then it exits 1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BadUsage, oneOf, usageOf, whole } from '../../scripts/usage.ts';
import { findEmulator, startEmulator } from '../firestore/emulator.ts';
import { chaos } from './chaos.ts';
import { FAULTS } from './planting.ts';
import { reportText } from './report.ts';
import { OwnScope } from './scope.ts';
import { MOSTLY_KILLS, type Struck } from './strikes.ts';

const STORES = ['sqlite', 'firestore'] as const;
const MINUTES = 2;
/** Retention deletes nothing that is younger than a day. */
const MOST_MINUTES = 20 * 60;
const MOST_KILLS = 100_000;
const MINUTE_MS = 60_000;

const asked = readArguments();
const scope = new OwnScope();
const folder = mkdtempSync(join(tmpdir(), 'punctual-chaos-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void scope.end().finally(() => process.exit(130)));
}
print(`seed ${asked.seed}`);
try {
  const report = await chaos({
    ...asked,
    emulator: await emulator(),
    deck: MOSTLY_KILLS,
    folder,
    scope,
    onProgress,
  });
  note('');
  const again = `npm run chaos -- ${asked.words.join(' ')} --seed ${asked.seed}`;
  print(reportText(report, { again, folder }));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} finally {
  await scope.end();
  if (process.exitCode === 0) rmSync(folder, { recursive: true, force: true });
}

async function emulator(): Promise<string | null> {
  if (asked.store === 'sqlite') return null;
  const jar = findEmulator();
  if (jar === undefined) {
    throw new Error('the Firestore emulator is not installed (gcloud: cloud-firestore-emulator)');
  }
  const started = await startEmulator(jar);
  scope.onEnd(() => started.stop());
  return started.address;
}

function readArguments() {
  const options = {
    store: { type: 'string', default: 'sqlite' },
    minutes: { type: 'string' },
    kills: { type: 'string' },
    seed: { type: 'string' },
    plant: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      print(usageOf('../test/chaos/run.ts'));
      process.exit(0);
    }
    const store = oneOf(values.store, 'store', STORES);
    const { kills, minutes, plant, seed = `${Date.now()}` } = values;
    // Where kills are counted, time is not, unless that is asked for too.
    const preset = kills === undefined ? MINUTES : MOST_MINUTES;
    const words = Object.entries({ store, kills, minutes, plant }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name} ${/^\w+$/.test(value) ? value : `'${value}'`}`],
    );
    return {
      store,
      seed,
      words,
      fault: plant === undefined ? undefined : faultOf(plant),
      forMs: whole(minutes, 'minutes', preset, MOST_MINUTES) * MINUTE_MS,
      kills: kills === undefined ? Infinity : whole(kills, 'kills', 1, MOST_KILLS),
    };
  } catch (error) {
    process.stderr.write(`${error instanceof BadUsage ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

function faultOf(name: string): string {
  const names = FAULTS.map((fault) => fault.name);
  if (names.includes(name)) return name;
  throw new BadUsage(`no fault is called "${name}"; there are:\n  ${names.join('\n  ')}`);
}

function onProgress({ SIGKILL, SIGTERM, SIGSTOP }: Struck): void {
  note(`killed ${SIGKILL}, told to stop ${SIGTERM}, stopped ${SIGSTOP}`);
}

/** One line that is written over by the next. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function print(what: string): void {
  process.stdout.write(`${what}\n`);
}
