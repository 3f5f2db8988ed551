import { Router, type Request } from 'express';
import {
  scheduleBody,
  scheduleFragment,
  scheduleUrl,
  type SchedulePreview,
} from '../../../views/schedule.ts';
import type { Deps } from '../../core/deps.ts';
import { explain } from '../../core/explain.ts';
import { readSchedule } from '../../core/schedule.ts';
import { readQuery } from '../read.ts';
import { sendHtml } from './send-html.ts';
import { showAt } from './show.ts';

const OCCURRENCES_SHOWN = 10;

/** The page that tells what a schedule means, while it is typed. */
export function scheduleRoutes(deps: Deps): Router {
  const router = Router();

  showAt(router, '/schedule', deps, async (asked, req) => {
    const preview = await readPreview(asked, req);
    const body = scheduleBody(preview, timeZones());
    return { title: 'Try a schedule', section: 'schedule', now: preview.now, live: false, body };
  });
  router.get('/fragments/schedule', async (req, res) => {
    const preview = await readPreview(deps, req);
    // The address goes with what is typed, so that it can be kept and sent.
    res.set('HX-Replace-Url', scheduleUrl(preview.asked));
    sendHtml(res, scheduleFragment(preview));
  });
  return router;
}

async function readPreview(deps: Deps, req: Request): Promise<SchedulePreview> {
  const query = readQuery(req, ['schedule', 'timeZone', 'name']);
  const asked = {
    schedule: query.get('schedule') ?? '',
    timeZone: query.get('timeZone')?.trim() ?? 'UTC',
    name: query.get('name') ?? '',
  };
  const { storeNow: now } = await deps.store.time();
  if (asked.schedule.trim() === '') return { asked, now, result: null };
  const parsed = readSchedule(asked, asked.name);
  if ('problems' in parsed) return { asked, now, result: parsed };
  const { schedule } = parsed;
  return { asked, now, result: { schedule, explained: explain(schedule, now, OCCURRENCES_SHOWN) } };
}

const timeZones = (): readonly string[] => ['UTC', ...Intl.supportedValuesOf('timeZone')];
