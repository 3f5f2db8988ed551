/**
 * Finds every occurrence that the ledger covers on record, exactly once.
 *
 *   npm run audit
 *
 * Prints each gap and one line with the counts. Exits 1 if there is a gap, 2 without a database.
 */
import { parseArgs } from 'node:util';
import { auditStore, gapLine } from '../server/core/audit.ts';
import { visible } from '../views/html.ts';
import { fail, openForScript } from './open.ts';

try {
  parseArgs({ options: {} });
} catch (error) {
  fail(error);
}

const { store } = await openForScript();
try {
  const { jobs, occurrences, runs, ranges, gaps } = await auditStore(store);
  for (const gap of gaps) console.log(visible(`gap: ${gapLine(gap)}`));
  console.log(
    `${jobs} jobs, ${occurrences} occurrences on record in ${runs} runs and ${ranges} ranges: ` +
      `${gaps.length} unexplained gaps`,
  );
  process.exitCode = gaps.length === 0 ? 0 : 1;
} finally {
  await store.close();
}
