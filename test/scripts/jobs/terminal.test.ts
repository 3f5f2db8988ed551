import { describe, expect, test } from 'vitest';
import { ProgressLine, progressText } from '../../../scripts/jobs/progress.ts';
import { jsonText } from '../../../scripts/jobs/terminal.ts';
import { commandText } from '../../../scripts/jobs/words.ts';
import { table, widthOf } from '../../../scripts/table.ts';
import { visible } from '../../../views/html.ts';
import { hasTerminal, jobs, onTerminal, startCalled } from './cli.ts';

/** With a terminal's orders as something to be read. */
const shown = (text: string): string => text.replaceAll('\u001b', '<ESC>');

describe.runIf(hasTerminal)('on a terminal', () => {
  test('a table is as wide as it, states have colours, and an id that was drawn is cut', async () => {
    const { here } = await startCalled();
    await jobs(['trigger', 'fails', '--wait'], here);

    const narrow = await onTerminal(['runs', 'fails'], here, { columns: 70 });
    const plain = await onTerminal(['runs', 'fails'], { ...here, NO_COLOR: '1' }, { columns: 200 });

    const [, row = ''] = shown(narrow.out).trimEnd().split('\n');
    expect(row).toMatch(/Z {2}<ESC>\[31mfailed<ESC>\[39m .* no d.*… {2}fails![a-z0-9]{10}…$/);
    expect(row.replaceAll(/<ESC>\[\d+m/g, '').length).toBeLessThanOrEqual(70);
    expect(plain.out).toMatch(
      /Z +failed +manual +[\d.]+ m?s +no disk left +fails![a-z0-9]{10}…\n$/,
    );
    expect(plain.out).not.toContain('\u001b');
  });

  test('how far a run is stands on one line, which is gone at the end', async () => {
    const { here, input, open } = await startCalled();
    const words = ['trigger', 'waits', '--input', input({ gate: 'g' }), '--follow'];

    const { out, status } = await onTerminal(words, here, {
      columns: 60,
      hear: (so) => /look 1[^]*\/100/.test(so) && open('g'),
    });

    expect(status).toBe(0);
    expect(shown(out)).toMatch(/\r<ESC>\[K\[#+-+\] \d+\/100 {2}\d+ s\r<ESC>\[K/);
    // What stays on the screen: whatever was written over is not.
    const screen = shown(out)
      .split('\n')
      .map((line) => line.split('<ESC>[K').at(-1));
    expect(screen).toEqual([
      expect.stringMatching(/^waits!\S+ running$/),
      expect.stringMatching(/^http/),
      ...shown(out)
        .match(/^.*at the gate, look \d+$/gm)!
        .map((line) => line.split('<ESC>[K').at(-1)),
      expect.stringMatching(/ the gate is open$/),
      expect.stringMatching(/^waits!\S+ <ESC>\[32msucceeded<ESC>\[39m in .*: went through$/),
      '',
    ]);
  });
});

test('what a server says is data: nothing of it reaches the terminal as an order', async () => {
  const { here, named } = await startCalled();
  const started = await jobs(['trigger', 'hostile', '--follow'], here);
  const { id } = JSON.parse((await jobs(['runs', 'hostile', '--json'], here)).out).runs[0];
  const asked = [
    ['runs'],
    ['show', id],
    ['logs', id],
    ['logs', id, '--json'],
    ['show', id, '--json'],
  ];

  const told = await Promise.all(asked.map(async (words) => jobs(words, named)));

  for (const { out, err } of [started, ...told]) {
    expect(err).toBe('');
    expect(visible(out)).toBe(out);
    expect(out).not.toMatch(/^(?:next line|forged)/m);
  }
  expect(started.out).toContain(
    String.raw`plain \u001b[2J\u001b]0;owned\u0007 \u202egnp.exe\u000dover\nnext line`,
  );
  expect(started.out).toContain(String.raw`bad \u001b[31mred\u001b[0m\nforged     succeeded\u202e`);
  expect(JSON.parse(told[4]?.out ?? '').error.message).toBe(
    'bad \u001b[31mred\u001b[0m\nforged     succeeded\u202e',
  );
});

describe('a table', () => {
  const head = ['A', 'LONG ONE', 'ID'];

  test('cuts its widest columns first, and never one that has to stay whole', () => {
    const rows = [['short', 'much longer than there is room for', 'an-id-of-16-char']];

    const [, row] = table(head, rows, { width: 40, whole: ['ID'] }).split('\n');

    expect(row).toBe('short  much longer th…  an-id-of-16-char');
    expect(row).toHaveLength(40);
    expect(table(head, rows, { width: 10, whole: ['ID'] })).toContain('an-id-of-16-char');
  });

  test('counts what takes two columns as two, and keeps letters whole', () => {
    expect([widthOf('日本'), widthOf('e\u0301'), widthOf('👩‍💻'), widthOf('a')]).toEqual([
      4, 1, 2, 1,
    ]);
    expect(table(['A'], [['日本日本日本']], { width: 8 })).toBe('A\n日本日…');
  });

  test('has one line a row, whatever is in it', () => {
    expect(table(['A', 'B'], [['x\ny\tz', '\u001b[2J']])).toBe('A       B\nx\\ny z  \\u001b[2J');
  });
});

describe('progress', () => {
  test('is a bar where the end is known, and a count where it is not', () => {
    expect(progressText({ done: 25, total: 100 }, 12_400)).toBe(
      '[#####---------------] 25/100  12 s',
    );
    expect(progressText({ done: 300, total: 100 }, 61_000)).toBe(
      '[####################] 300/100  1 min 1 s',
    );
    expect(progressText({ done: 7, total: null }, 0)).toBe('7  0 s');
    expect(progressText(null, 900)).toBe('0 s');
  });

  test('is written to a terminal alone, and no wider than it', () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    const piped = new ProgressLine({ write });
    piped.show({ done: 1, total: 2 });
    piped.end();
    const onScreen = new ProgressLine({ isTTY: true, columns: 10, write });
    onScreen.show({ done: 1, total: 2 });
    onScreen.end();

    expect(written).toEqual(['\r\u001b[K0 s', '\r\u001b[K[########', '\r\u001b[K']);
  });
});

test('JSON has what a terminal would obey as escapes, and is the same value', () => {
  const value = { 'a\u202eb': 'x\u001b[2J\u009b1m\u{e0041}\u200d é 😀\n' };

  const text = jsonText(value, 2);

  expect(text).toMatch(/^[\n -~é😀]*$/u);
  expect(JSON.parse(text)).toEqual(value);
});

test('a command to be copied is quoted, so that a shell does nothing else with it', () => {
  expect(commandText('logs', "a!b'c$(x)")).toBe(String.raw`npm run -s jobs -- logs 'a!b'\''c$(x)'`);
  expect(commandText('logs', 'a@20260301T000000Z')).toBe(
    'npm run -s jobs -- logs a@20260301T000000Z',
  );
});
