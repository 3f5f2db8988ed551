import { describe, expect, test } from 'vitest';
import { apiDocument } from '../http/conforms.ts';
import { LOCAL_CALLERS } from './callers.ts';
import { wireOf } from './draft.ts';
import { fuzz } from './fuzz.ts';
import { operationsOf } from './operations.ts';
import { chanceAt, planNext } from './plan.ts';
import { Pool } from './pool.ts';
import { reportText } from './report.ts';
import type { Report } from './tally.ts';

const MB = 1024 * 1024;
const BRIEF = { deadlineMs: 10_000, growthLimit: 5 * MB, stalls: true, failuresLimit: 10 };

/** Operations whose answers were hardly ever of a kind. */
const seldom = ({ coverage }: Report, isWanted: (status: number) => boolean, atLeast: number) =>
  coverage
    .filter(({ statuses }) => {
      const wanted = statuses.filter(([status]) => isWanted(status));
      return wanted.reduce((sum, [, times]) => sum + times, 0) < atLeast;
    })
    .map(({ id }) => id);

describe('2,000 requests that programs, people and nobody would send', () => {
  test('do no harm', async () => {
    const report = await fuzz({ ...BRIEF, seed: 'of the tests', requests: 2000 });

    expect(report.failures.length === 0 ? '' : reportText(report)).toBe('');
    expect(report.answered).toBeGreaterThan(2000);
    // Nothing is proved by requests that come to nothing, or by looks that see nothing.
    expect(seldom(report, (status) => status < 300, 1)).toEqual([]);
    expect(seldom(report, (status) => status >= 400, 5)).toEqual([]);
    expect(report.compared).toBeGreaterThan(50);
    expect(report.unsettled).toBe(0);
    expect(report.memory.length).toBeGreaterThan(3);
  }, 300_000);
});

describe('a server that is wrong in many ways', () => {
  test('is found out in each of them', async () => {
    const plants = new URL('plants.ts', import.meta.url).pathname;

    const report = await fuzz({
      seed: 'planted',
      requests: 400,
      deadlineMs: 1000,
      growthLimit: 2 * MB,
      stalls: false,
      failuresLimit: 1000,
      imports: [plants],
    });

    const found = report.failures.map(({ route = '', fault }) => `${route}: ${fault}`).join('\n');
    expect(found).toMatch(/PUT \/api\/v1\/jobs\/\{name\}\/pause: answered 500/);
    expect(found).toMatch(/GET \/api\/v1\/actions: no answer came within/);
    expect(found).toMatch(/GET \/api\/v1\/upcoming: does not conform/);
    expect(found).toMatch(/has the header content-security-policy: $/m);
    expect(found).toMatch(/has (?:the element|on\w+=).*fz7/);
    expect(found).toMatch(/it changed the store: actions/);
    expect(found).toMatch(/the log has a line that is no event: who goes there/);
    expect(found).toMatch(/memory grew by/);
  }, 300_000);
});

describe('a seed', () => {
  /** What is sent where nothing is known yet, as text. */
  const sent = (seed: string): readonly string[] => {
    const known = { pool: new Pool(), foreign: new Pool(), operations: operationsOf(apiDocument) };
    const material = { ...known, host: 'localhost', callers: LOCAL_CALLERS };
    return Array.from({ length: 300 }, (_, index) => {
      const plan = planNext(material, chanceAt(seed, index));
      return plan.kind === 'script'
        ? JSON.stringify(plan.script)
        : plan.drafts.map((one) => wireOf(one, 'localhost').toString('latin1')).join();
    });
  };

  test('gives the same requests again, and another one gives others', () => {
    const [first, again, other] = [sent('a'), sent('a'), sent('b')];

    expect(again).toEqual(first);
    expect(first.filter((one, i) => one === other[i]).length).toBeLessThan(10);
  });
});
