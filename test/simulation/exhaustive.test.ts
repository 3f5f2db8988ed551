import { expect, test } from 'vitest';
import { tellWithEveryBlow, tellWithEveryPair } from './exhaustive.ts';
import { SCENARIOS } from './scenarios.ts';
import { tell } from './story.ts';

const sizes = await Promise.all(
  SCENARIOS.map(async (scenario) => ({
    scenario,
    points: (await tell(scenario, [])).points.length,
  })),
);
const smallest = sizes.toSorted((a, b) => a.points - b.points).slice(0, 10);

test('there are some thirty stories, each with points at which it waits', () => {
  expect(SCENARIOS.length).toBeGreaterThanOrEqual(30);
  expect(Math.min(...sizes.map(({ points }) => points))).toBeGreaterThan(30);
});

test.for(SCENARIOS)(
  '$name: ends well, whatever crashes or stays unknown at any one point',
  { timeout: 120_000 },
  async (scenario) => {
    const { times, failed } = await tellWithEveryBlow(scenario);

    expect(failed).toEqual([]);
    expect(times).toBeGreaterThan(50);
  },
);

test.for(smallest)(
  '$scenario.name: ends well, whatever crashes or stays unknown at any two points',
  { timeout: 120_000 },
  async ({ scenario }) => {
    const { times, failed } = await tellWithEveryPair(scenario);

    expect(failed).toEqual([]);
    expect(times).toBeGreaterThan(1000);
  },
);
