import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { COMMANDS } from '../../scripts/jobs/commands.ts';
import { CORPUS } from '../browser/corpus.ts';
import { Planting } from '../browser/planted.ts';
import { NAMES, openWorld, RUNS, type World } from '../browser/world.ts';

/** Whatever text is on record: a terminal is given nothing that it would obey, and no false line. */

/** All that gives orders, or hides, but for tabs and the line ends that part what is printed. */
const OBEYED = new RegExp(
  String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\t\n\u200c-\u200d\ufe0e-\ufe0f]]`,
  'v',
);

const planting = new Planting(CORPUS);
let world: World;
beforeAll(async () => {
  // Each command listens for Ctrl-C, and is otherwise alone in its process.
  process.setMaxListeners(0);
  world = await openWorld(planting, [...CORPUS.keys()]);
  vi.stubEnv('PUNCTUAL_URL', world.url);
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

/** What a command prints, as lines. */
async function lines(
  name: string,
  words: readonly string[] = [],
  options: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  const error = vi.spyOn(console, 'error').mockImplementation((text) => void printed.push(text));
  try {
    const command = await COMMANDS[name]?.load();
    if (command === undefined) throw new Error(`there is no command ${name}`);
    await command([...words], options);
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
  return printed.join('\n').split('\n');
}

const obeyed = (all: readonly string[]): string[] => all.filter((line) => OBEYED.test(line));

describe('what is printed', () => {
  test.each(['runs', 'actions', 'list'])(
    'by %s is a line a record',
    async (name) => {
      const limit = name === 'list' ? {} : { limit: '100000' };
      const [printed, again] = [
        await lines(name, [], limit),
        await lines(name, [], { ...limit, json: true }),
      ];
      const answer = JSON.parse(again.join('\n'));
      const [records = []] = Object.values(answer).filter(Array.isArray);

      expect(obeyed([...printed, ...again])).toEqual([]);
      expect(printed).toHaveLength(1 + records.length);
    },
    60_000,
  );

  test('by system gives no orders, of its jobs nor of the process itself', async () => {
    const told = [await lines('system')];
    // Without any jobs it has less to say each time.
    const alone = await openWorld(planting, []);
    onTestFinished(async () => {
      vi.stubEnv('PUNCTUAL_URL', world.url);
      await alone.close();
    });
    vi.stubEnv('PUNCTUAL_URL', alone.url);
    for (const k of CORPUS.keys()) {
      alone.speakOf(k);
      told.push(await lines('system'));
    }

    expect(obeyed(told.flat())).toEqual([]);
    // What goes on in a second line stands under the first.
    expect(told.flat().filter((line) => !/^(?:[a-z-]+(?: [a-z]+)? {2,}| {4,})/.test(line))).toEqual(
      [],
    );
  }, 60_000);

  test('by show, logs and backfills gives no orders, and no line that looks like another', async () => {
    for (const k of CORPUS.keys()) {
      const printed = await lines('show', [RUNS.live(k)]);
      const facts = printed.slice(0, printed.indexOf(''));
      const log = await lines('logs', [RUNS.live(k)]);
      const backfills = await lines('backfills', [NAMES.plain(k)]);

      expect(obeyed([...printed, ...log, ...backfills])).toEqual([]);
      expect(facts.filter((line) => !/^(?:[a-z]+(?: \d)? {2,}| {4,})/.test(line))).toEqual([]);
      expect(log).toHaveLength(1);
    }
  }, 120_000);

  test('as JSON is the same value', async () => {
    for (const k of CORPUS.keys()) {
      const printed = await lines('show', [RUNS.live(k)], { json: true });
      const id = encodeURIComponent(RUNS.live(k));
      const answer = await fetch(`${world.url}/api/v1/runs/${id}`);

      expect(obeyed(printed)).toEqual([]);
      expect(JSON.parse(printed.join('\n'))).toEqual(await answer.json());
    }
  }, 120_000);
});
