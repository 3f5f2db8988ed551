import { readConfig } from '../../../server/config.ts';
import type { Job } from '../../../server/core/job.ts';
import type { Role } from '../../../server/http/caller.ts';
import { serve, type Ask } from '../client.ts';
import { tokenIn } from '../identity/callers.ts';

/** A service that answers those alone who have a token. */
export async function serveToTokens(jobs: readonly Job[]) {
  const { access } = readConfig({ PUNCTUAL_AUTH: 'tokens' }, '/', 0);
  const served = await serve(jobs, { app: { access } });
  /** Asks with a token of its own; `only` are the jobs that it is for. */
  const as = async (name: string, role: Role, only: readonly string[] | null): Promise<Ask> => {
    const { bearer } = await tokenIn(served.service.store, { name, role, jobs: only });
    return (method, path, init = {}) => {
      const headers = new Headers(init.headers);
      for (const [key, value] of Object.entries(bearer)) headers.set(key, String(value));
      return served.ask(method, path, { ...init, headers });
    };
  };
  return { ...served, as };
}
