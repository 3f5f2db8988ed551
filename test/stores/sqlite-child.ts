import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { commit, jobRecord, run } from '../builders.ts';
import { realClock } from '../test-clock.ts';

/**
 * A second process for sqlite.test.ts: `sqlite-child.ts MODE PATH [COUNT]`. Prints a line for each
 * commit that was acknowledged, or the message of the error that ended it.
 */
const [mode = '', path = '', count = '0'] = process.argv.slice(2);

const open = () =>
  openSqliteStore({ path, clock: realClock, leaseMs: 90_000, regressionMs: 5000, log: () => {} });

/** Raises the job's streak by one, as often as told, against whoever does the same. */
async function raise(times: number): Promise<void> {
  const store = open();
  for (let done = 0; done < times;) {
    const { version, record } = await store.read('nightly-report');
    const streak = (record?.streak ?? 0) + 1;
    const next = jobRecord({ rev: (record?.rev ?? 0) + 1, streak });
    const result = await store.commit(
      commit(next, { version, create: [run({ id: `a@${streak}` })] }),
    );
    if (result.kind !== 'ok') continue;
    done += 1;
    process.stdout.write(`${streak}\n`);
  }
  await store.close();
}

/** Whoever must not write: root may write anything, so it steps down first. */
function openAsNobody(): void {
  if (process.getuid?.() === 0) process.setuid?.(65_534);
  open();
}

try {
  if (mode === 'raise') await raise(Number(count));
  if (mode === 'nobody') openAsNobody();
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
