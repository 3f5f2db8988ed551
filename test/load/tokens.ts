import { makeToken } from '../../server/http/identity/token-key.ts';
import { addToken } from '../../server/http/identity/token-list.ts';
import { systemClock } from '../../server/process/clock.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { DEFAULT_LEASE_MS } from './account.ts';

/** Lets somebody do everything, by a token in the store; gives the header that bears it. */
export async function addSender(path: string, name: string): Promise<string> {
  const options = { path, clock: systemClock, leaseMs: DEFAULT_LEASE_MS, regressionMs: 5000 };
  const store = openSqliteStore({ ...options, log: () => undefined });
  try {
    const { text, key } = await makeToken();
    const token = { ...key, name, role: 'operator', jobs: null, by: 'the load' } as const;
    const problem = await addToken(store, 'default', token);
    if (problem !== undefined) throw new Error(problem);
    return `Bearer ${text}`;
  } finally {
    await store.close();
  }
}
