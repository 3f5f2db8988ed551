import { aboutEndpoints } from './about.ts';
import { actionEndpoints } from './actions.ts';
import { backfillEndpoints } from './backfills.ts';
import type { Endpoint } from './endpoint.ts';
import { jobEndpoints } from './jobs.ts';
import { logEndpoints } from './logs.ts';
import { pauseEndpoints } from './pauses.ts';
import { runChangeEndpoints } from './run-changes.ts';
import { runEndpoints } from './runs.ts';
import { startEndpoints } from './starting.ts';
import { systemEndpoints } from './system.ts';
import { upcomingEndpoints } from './upcoming.ts';

/** Every endpoint below `/api/v1`, in the order in which it is told of. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...jobEndpoints,
  ...pauseEndpoints,
  ...runEndpoints,
  ...startEndpoints,
  ...runChangeEndpoints,
  ...logEndpoints,
  ...backfillEndpoints,
  ...upcomingEndpoints,
  ...actionEndpoints,
  ...systemEndpoints,
  ...aboutEndpoints(() => ENDPOINTS),
];
