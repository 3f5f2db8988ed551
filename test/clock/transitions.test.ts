import { describe, expect, test } from 'vitest';
import type { Process } from './service.ts';
import { expectKept, HOUR, MINUTE, scene, type Scene } from './scenario.ts';
import { covered, expected, jobsOf, scheduledOf, times } from './schedules.ts';
import { TRANSITIONS, type Transition } from './transitions.ts';

/*
 * The whole service goes through the hours around a transition: killed in the instant itself, told
 * to stop soon after, and killed in the middle of a run. What must occur is told by a second,
 * plain account of cron (test/core/zones/reference.ts), and by hand.
 */

const AROUND = 2.5 * HOUR;

describe.each(TRANSITIONS)('$zone, where $what', (transition) => {
  test('has each occurrence on record once, though killed in that very instant', async () => {
    const at = Date.parse(transition.at);
    const span = { from: at - AROUND, to: at + AROUND };
    const here = await scene((journal, of) => jobsOf(transition, journal, of), { from: span.from });
    const pages = await pagesOf(here.process, transition);

    await goThrough(here);

    const runs = await expectKept(here);
    const wanted = expected(transition, span);
    for (const [name, instants] of wanted) {
      expect({ [name]: covered(runs, name) }).toEqual({ [name]: instants.length });
      // Of those that fell due while a killed run held its lease, `long` has ranges.
      if (name === 'long') continue;
      expect({ [name]: times(scheduledOf(runs, name)) }).toEqual({ [name]: times(instants) });
    }
    const { fixed, halfPastOne, midnight } = transition.occurs;
    const byName = (name: string): string => times(scheduledOf(runs, name)).join(' ');
    expect({
      fixed: byName('fixed'),
      halfPastOne: byName('half-past-one'),
      midnight: byName('midnight'),
      daily: byName('daily'),
    }).toEqual({ fixed, halfPastOne, midnight, daily: midnight });
    for (const [name, next] of pages.next) {
      const within = next.filter((one) => one <= span.to);
      const first = wanted.get(name)?.slice(0, within.length);
      expect({ [name]: within, some: next.length > 0 }).toEqual({ [name]: first, some: true });
    }
    expect(pages.words).toContain(transition.words);
  });
});

/** Through the transition, and on for as long as before it. */
async function goThrough(here: Scene): Promise<void> {
  const { machine } = here;
  await machine.pass(AROUND - MINUTE);
  here.process.kill();
  machine.standFor(2 * MINUTE);
  here.process = await here.another();
  await machine.pass(19.5 * MINUTE);
  await here.process.stop();
  here.process = await here.another();
  // In the middle of the long run of half past, or of the full hour.
  await machine.pass(11 * MINUTE);
  here.process.kill();
  machine.standFor(2 * MINUTE);
  here.process = await here.another();
  await machine.pass(here.from + 2 * AROUND - machine.now);
}

/** What is coming by the pages of the jobs, and what the page of a schedule says of the fixed time. */
async function pagesOf(process: Process, { fixed, zone }: Transition) {
  const names = ['fixed', 'half-past-one', 'midnight', 'daily', 'quarters', 'several', 'period'];
  const next = new Map<string, number[]>();
  for (const name of names) {
    const page = await process.page(`/jobs/${name}`);
    const table = /<table class="occurrences">(.*?)<\/table>/s.exec(page)?.[1] ?? '';
    const all = [...table.matchAll(/datetime="([^"]*)"[^>]*data-words="relative"/g)];
    const instants = all.map(([, iso = '']) => Date.parse(iso));
    next.set(name, instants);
  }
  const query = new URLSearchParams({ schedule: fixed, timeZone: zone });
  const page = await process.page(`/schedule?${query.toString()}`);
  const words = /<ul class="changes">(.*?)<\/ul>/s.exec(page)?.[1] ?? '';
  return { next, words: words.replaceAll(/<[^>]*>/g, '\n') };
}
