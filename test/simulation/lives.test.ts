import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { live } from './life.ts';

const SEEDS = 2000;

const script = fileURLToPath(new URL('../../scripts/simulate.ts', import.meta.url));
const planting = new URL('./planting.ts', import.meta.url).href;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function simulate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const preload = env['PLANTED_FAULT'] === undefined ? [] : ['--import', planting];
  const options = { env: { ...process.env, ...env }, maxBuffer: 1e8 };
  const command = [...preload, script, ...args];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr }: Record<string, unknown> = Object(error);
    return { code: Number(code), out: String(stdout), err: String(stderr) };
  }
}

test(`${SEEDS} lives full of faults break no rule`, async () => {
  const { code, out } = await simulate(['--seeds', String(SEEDS)]);

  expect(out).toContain('No rule was broken.');
  expect(out).toMatch(/2,000 lives \(seeds 1 to 2000\) in [\d.]+ s: \d+ seeds a second/);
  const counted = [...out.matchAll(/^ {2}(\D+?) +([\d,]+)$/gm)].map(([, what = '']) => what);
  expect(counted).toEqual([
    'applied late',
    'applied, but called a conflict',
    'clock set',
    'cut off',
    'cut off from the store',
    'decided again while it was written',
    'deployed',
    'killed',
    'killed at an await',
    'machine slept',
    'outage',
    'refused',
    'reply lost',
    'request lost',
    'restored from a backup',
    'slow',
    'stood still',
    'told to stop',
    'trigger duplicated',
    'trigger early',
    'trigger late',
    'trigger missing',
    'drained',
    'grants',
    'leases that ran out',
    'requests',
    'unattended',
  ]);
  expect(code).toBe(0);
}, 600_000);

test('a seed is the same life each time, to the last event', async () => {
  const once = await live('12', { trace: true });
  const again = await live('12', { trace: true });
  const other = await live('13', { trace: true });

  expect(once.trace.length).toBeGreaterThan(100);
  expect(again).toEqual(once);
  expect(other.trace).not.toEqual(once.trace);
});

test('a broken rule is told with its seed and the end of that history, and exits 1', async () => {
  const fault = { PLANTED_FAULT: 'looks back one minute only' };

  const { code, out } = await simulate(['--seeds', '4'], fault);

  expect(code).toBe(1);
  const [, seed = '', what = ''] = /^seed (\d+): (I1 .* has no record)$/m.exec(out) ?? [];
  expect(out).toMatch(/^ +[\d.]+s p\d+ commits .*$/m);
  expect(out).toContain(`npm run simulate -- --seed ${seed} --verbose`);
  const again = await simulate(['--seed', seed, '--verbose'], fault);
  expect([again.code, again.out.includes(`Broken: ${what}`)]).toEqual([1, true]);
}, 60_000);

test('what is no number of seeds is told so', async () => {
  const { code, err } = await simulate(['--seeds', 'many']);

  expect(code).toBe(2);
  expect(err).toContain('--seeds is "many"; right would be a whole number from 1 on');
});
