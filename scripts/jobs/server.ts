import type { Job } from '../../server/core/job.ts';
import { Api } from './api.ts';
import { isNamed, placeOf } from './place.ts';
import { remark } from './terminal.ts';
import { overNetwork } from './transport.ts';

/**
 * Where a command is carried out unless PUNCTUAL_URL names a server: by this machine's `server`, or
 * on its `store`, whether or not a server runs.
 */
export type Where = 'server' | 'store';

/** Calls with the API that a command is for, and closes what was opened for it. */
export async function withApi<Result>(
  where: Where,
  act: (api: Api) => Promise<Result>,
): Promise<Result> {
  if (where === 'server' || isNamed(process.env)) return await act(remote());
  return await overStore({ withJobs: false }, act);
}

/** The same with the jobs of the code here; undefined where another server is meant. */
export async function withApiAndJobs<Result>(
  act: (api: Api, jobs: readonly Job[] | undefined) => Promise<Result>,
): Promise<Result> {
  if (isNamed(process.env)) return await act(remote(), undefined);
  return await overStore({ withJobs: true }, act);
}

function remote(): Api {
  const place = placeOf(process.env);
  return new Api(place, overNetwork(place), { tell: remark });
}

async function overStore<Result>(
  how: { readonly withJobs: boolean },
  act: (api: Api, jobs: readonly Job[]) => Promise<Result>,
): Promise<Result> {
  // All that serves the API is loaded where it is needed only.
  const { openInside } = await import('./inside.ts');
  const inside = await openInside(how);
  try {
    const api = new Api(null, inside.send, { tell: remark });
    return await act(api, [...inside.registry.values()]);
  } finally {
    await inside.close();
  }
}
