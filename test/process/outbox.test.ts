import { describe, expect, test } from 'vitest';
import type { Report } from '../../server/core/isolate.ts';
import { LOG_LIMIT } from '../../server/core/log-line.ts';
import { Outbox } from '../../server/process/isolated/outbox.ts';
import { testClock } from '../test-clock.ts';

type Told = Extract<Report, { kind: 'told' }>;

function open(heard: (box: Outbox) => void = () => undefined) {
  const clock = testClock();
  const sent: Told[] = [];
  const post = (report: Report): void => void (report.kind === 'told' && sent.push(report));
  const box: Outbox = new Outbox({ clock, post, look: () => heard(box) });
  let n = 0;
  const say = (lines: number, text = ''): void => {
    for (let i = 0; i < lines; i++) {
      box.add({ at: 0, level: 'info', text: `${n++}${text}`, fields: null });
    }
  };
  const texts = (): string[] => sent.flatMap(({ lines }) => lines.map(({ text }) => text));
  return { clock, sent, box, say, texts };
}

describe('what an isolated handler says', () => {
  test('goes at once, without a turn of the loop, as long as it is little', () => {
    const { say, texts } = open();

    say(3);

    expect(texts()).toEqual(['0', '1', '2']);
  });

  test('goes in bundles where it is much, and none is lost when it ends', async () => {
    const { say, sent, texts, box, clock } = open();

    say(500);
    const atOnce = sent.length;
    await clock.advance(100);
    say(2);
    box.flush();

    expect(atOnce).toBe(20);
    expect(sent.length).toBeLessThan(25);
    expect(texts()).toEqual(Array.from({ length: 502 }, (_, i) => `${i}`));
  });

  test('waits while nobody hears it, and goes on when it was heard', async () => {
    let hears = false;
    const { say, texts, clock } = open((box) => hears && box.heard(1000));

    say(1500);
    await clock.advance(1000);
    say(1500);
    await clock.advance(1000);
    const unheard = texts().length;
    hears = true;
    await clock.advance(1000);

    expect(unheard).toBe(1500);
    expect(texts()).toHaveLength(3000);
  });

  test('is dropped where it is more than a log holds, the oldest first, and that is told', () => {
    const { say, sent, box } = open();

    say(2000, 'x'.repeat(1000));
    box.flush();

    const last = sent.at(-1)!;
    const size = last.lines.reduce((sum, { text }) => sum + text.length, 0);
    expect(size).toBeLessThan(LOG_LIMIT);
    expect(last.lines.at(-1)?.text).toMatch(/^1999x/);
    expect(last.dropped).toBe(2000 - 20 - last.lines.length);
  });

  test('of progress the latest counts', () => {
    const { box, sent } = open();

    for (let done = 1; done <= 100_000; done++) box.progress({ done, total: null });
    box.flush();

    expect(sent.length).toBeLessThan(25);
    expect(sent.at(-1)?.progress).toEqual({ done: 100_000, total: null });
  });
});
