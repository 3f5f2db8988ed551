import { step } from '../../server/core/step.ts';
import { jobRecord } from '../builders.ts';
import { rates } from './measure.ts';
import { contextOf, recordOf, REGISTERED } from './schedules/jobs.ts';
import type { Bar, Result } from './section.ts';

/*
 * What one decision takes after an outage: which of all that fell due meanwhile starts, and in what
 * records the rest goes. The newest 10,000 are judged one by one, the others as one stretch.
 */

const DAYS = 30;
const DAY_MS = 86_400_000;
const LIMIT_MS = 50;
const WARM_UP_MS = 500;

const SCHEDULES = ['* * * * * *', '* * * * *', '*/5 * * * *', '0 * * * *'] as const;
const ZONES = ['UTC', 'America/New_York'] as const;

export function measure(say: (doing: string) => void): Promise<Result> {
  say(`decisions after ${DAYS} days`);
  const cases = SCHEDULES.flatMap((schedule) => ZONES.map((timeZone) => ({ schedule, timeZone })));
  const found = rates(
    cases.map((text, i) => timesOf(() => decide(text, i))),
    WARM_UP_MS,
  );
  const rows = cases.map(({ schedule, timeZone }, i): [string, number] => {
    const rate = found[i];
    return [`${schedule} in ${timeZone}`, typeof rate === 'number' ? 1000 / rate : NaN];
  });
  const bars = rows.map(([what, measured]): Bar => {
    return { what, measured, unit: 'ms', bound: { under: LIMIT_MS } };
  });
  const title = `A decision after an outage of ${DAYS} days`;
  return Promise.resolve({ tables: [{ title, columns: ['Schedule', 'ms'], rows }], bars });
}

const timesOf = (work: () => void) => (times: number) => {
  for (let i = 0; i < times; i += 1) work();
};

function decide(text: { readonly schedule: string; readonly timeZone: string }, i: number): void {
  const record = jobRecord({ ...recordOf(i), schedules: [{ ...text, from: REGISTERED }] });
  const ctx = contextOf(i, REGISTERED + DAYS * DAY_MS + 40);
  const stepped = step(record, { kind: 'wake' }, ctx);
  if (stepped.kind !== 'write' || stepped.grant === undefined) throw new Error('did not start');
}
