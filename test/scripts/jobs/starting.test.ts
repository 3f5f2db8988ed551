import { describe, expect, test } from 'vitest';
import { jobs, startCalled } from './cli.ts';

const ID = /^([a-z]+![a-z0-9]{20,}) /m;

describe('trigger', () => {
  test('starts a run, and says which and where; it does not wait for it', async () => {
    const { server, here, input } = await startCalled();

    const { status, out, err } = await jobs(
      ['trigger', 'waits', '--input', input({ gate: 'never' })],
      here,
    );

    const id = ID.exec(out)?.[1] ?? '';
    expect([status, err]).toEqual([0, '']);
    expect(out).toBe(`${id} running\n${server.url}/runs/${encodeURIComponent(id)}\n`);
    expect((await server.runs('waits'))[0]?.id).toBe(id);
  });

  test('its exit status is how the run ended, if it is waited for', async () => {
    const { here } = await startCalled();

    const good = await jobs(['trigger', 'quick', '--wait'], here);
    const bad = await jobs(['trigger', 'fails', '--wait', '30', '--follow'], here);

    expect(good.status).toBe(0);
    expect(good.out).toMatch(/^quick!\S+ succeeded in [\d.]+ m?s: {"fine":true}\n$/m);
    expect(bad.status).toBe(1);
    expect(bad.out.split('\n').slice(2)).toEqual([
      expect.stringMatching(/^\d{4}-\S+Z error it will not do$/),
      expect.stringMatching(/^fails!\S+ failed in [\d.]+ m?s: no disk left$/),
      '',
    ]);
    expect([good.err, bad.err]).toEqual(['', '']);
  });

  test('with --json there is nothing but the run on standard output, as it ended', async () => {
    const { server, here } = await startCalled();

    const told = await jobs(['trigger', 'fails', '--wait', '--follow', '--json'], here);
    const notWaited = await jobs(['trigger', 'quick', '--json'], here);

    const { id }: { id: string } = JSON.parse(told.out);
    expect(told.status).toBe(1);
    expect(JSON.parse(told.out)).toEqual(
      await server.json(`/api/v1/runs/${encodeURIComponent(id)}`),
    );
    expect(told.err).toMatch(/^\S+Z error it will not do\n$/);
    expect(JSON.parse(notWaited.out)).toMatchObject({ job: 'quick', trigger: 'manual' });
  });

  test('says when the run goes on after --wait, and ends with 7', async () => {
    const { here, input } = await startCalled();
    const path = input({ gate: 'never' });

    const told = await jobs(['trigger', 'waits', '--input', path, '--wait', '1'], here);
    const json = await jobs(
      ['trigger', 'waits', '--overlap', 'allow', '--input', path, '--json', '--wait', '1'],
      here,
    );

    expect(told.status).toBe(7);
    expect(told.err).toMatch(/^waits!\S+ is running after 1 s; it goes on\n$/);
    expect(json.status).toBe(7);
    expect(JSON.parse(json.out)).toMatchObject({ state: 'running', endedAt: null });
  });

  test('under one key it is one run, whoever asks, and an input of its own under it is refused', async () => {
    const { server, here, input } = await startCalled();
    const words = ['trigger', 'waits', '--key', 'deploy 7', '--input', input({ gate: 'never' })];

    const [first, second] = [await jobs(words, here), await jobs(words, here)];
    const other = await jobs([...words.slice(0, -1), input({ gate: 'other' })], here);
    const wrong = await jobs(['trigger', 'quick', '--key', 'ключ'], here);

    expect(first.out).toBe(second.out);
    expect(await server.runs('waits')).toHaveLength(1);
    expect([other.status, other.err]).toEqual([
      2,
      'this Idempotency-Key stands for another request\n',
    ]);
    expect(wrong).toMatchObject({
      status: 2,
      err: '--key has to be 1 to 255 printable ASCII characters\n',
    });
  });

  test('tells everything that is wrong with an input, each thing on its line', async () => {
    const { here, input, file } = await startCalled();

    const wrong = await jobs(['trigger', 'picky', '--input', input({ rows: 0, to: 'x' })], here);
    const noJson = await jobs(
      ['trigger', 'picky', '--input', file('bad.json', '{"rows": }')],
      here,
    );
    const noText = await jobs(
      ['trigger', 'picky', '--input', file('bad.bin', Buffer.from([34, 255, 34]))],
      here,
    );
    const noFile = await jobs(['trigger', 'picky', '--input', '/nowhere.json'], here);

    expect(wrong.status).toBe(2);
    expect(wrong.err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^\/input\/rows: /),
      expect.stringMatching(/^\/input\/to: /),
    ]);
    expect(noJson).toMatchObject({ status: 2, err: expect.stringMatching(/bad\.json: .*JSON/) });
    expect(noText).toMatchObject({ status: 2, err: expect.stringMatching(/bad\.bin: .*utf-8/) });
    expect(noFile).toMatchObject({ status: 2, err: expect.stringMatching(/ENOENT.*nowhere/) });
  });

  test('a job that there is not is 4, and what stands in the way is 5', async () => {
    const { here, input } = await startCalled();
    const words = ['trigger', 'waits', '--input', input({ gate: 'never' })];
    await jobs(words, here);

    const nobody = await jobs(['trigger', 'nobody'], here);
    const busy = await jobs(words, here);
    const beside = await jobs([...words, '--overlap', 'allow'], here);

    expect([nobody.status, nobody.err]).toEqual([4, 'there is no job "nobody"\n']);
    expect(busy.status).toBe(5);
    expect(busy.err).toMatch(/^run "waits!\S+" is unfinished, and the job skips what overlaps\n$/);
    expect(beside.status).toBe(0);
  });
});

describe('rerun', () => {
  test('starts a run again with its input, and ends with what that one comes to', async () => {
    const { server, here, input, open } = await startCalled();
    open('now');
    const first = await jobs(
      ['trigger', 'waits', '--wait', '--input', input({ gate: 'now' })],
      here,
    );
    const id = ID.exec(first.out)?.[1] ?? '';

    const again = await jobs(['rerun', id, '--wait', '--follow', '--key', 'again'], here);
    const nobody = await jobs(['rerun', 'waits!nobody'], here);

    expect(again.status).toBe(0);
    expect(again.out).toMatch(/ info {2}the gate is open\nwaits!\S+ succeeded .*: went through\n$/);
    expect(await server.runs('waits')).toMatchObject([{ cause: id }, { id }]);
    expect(nobody.status).toBe(4);
  });
});

describe('backfill', () => {
  test('opens runs for a stretch of the past, once under one key', async () => {
    const { here } = await startCalled();
    const words = [
      'backfill',
      'old',
      '--from',
      '2026-03-01T00:00:00Z',
      '--to',
      '2026-03-01T00:02:30Z',
    ];

    const made = await jobs([...words, '--key', 'k'], here);
    const again = await jobs([...words, '--key', 'k', '--json'], here);
    const future = await jobs(['backfill', 'old', '--from', 'today', '--to', '2100-01-01'], here);
    const half = await jobs(['backfill', 'old', '--from', 'today'], here);
    const never = await jobs(['backfill', 'old', '--from', 'soon', '--to', 'today'], here);

    const id = /^(\S+) running: 2026-03-01T00:00:00Z to 2026-03-01T00:02:30Z/.exec(made.out)?.[1];
    expect(made.status).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ id, job: 'old' });
    expect(future).toMatchObject({ status: 2, err: '--to: lies in the future\n' });
    expect(half.err).toMatch(/^expected --from and --to/);
    expect(never.err).toMatch(/^--from is "soon"; right would be such as /);
  });
});
