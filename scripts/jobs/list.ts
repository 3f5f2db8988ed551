import type { Job } from '../../server/core/job.ts';
import { scheduleWords } from '../../views/schedule-words.ts';
import { items, second, text, type JobAnswer } from './answers.ts';
import { STATUS, type Command } from './command.ts';
import { pages } from './pages.ts';
import { nothing } from './reading.ts';
import { withApiAndJobs } from './server.ts';
import { remark, sayJson, sayTable } from './terminal.ts';

const HEAD = ['JOB', 'STATE', 'SCHEDULE', 'ZONE', 'IN WORDS', 'NEXT', 'LAST', 'TAGS'];
const MOST = 100_000;

/** All jobs; on this machine those of the code too that no server has registered yet. */
export const list: Command = async (words, options) => {
  nothing(words);
  return await withApiAndJobs(async (api, code) => {
    const asked = { path: '/jobs', query: {}, list: 'jobs', most: MOST };
    const found = await pages<JobAnswer>(api, asked);
    const known = new Set(found.list.map(({ name }) => name));
    const news = (code ?? []).filter(({ name }) => !known.has(name));
    if (options.json) {
      sayJson({ jobs: found.list, next: found.next });
      const names = news.map(({ name }) => name).join(', ');
      if (news.length > 0) remark(`not yet registered, since no server has started: ${names}`);
    } else
      sayTable(HEAD, [...found.list.map(jobRow), ...news.map(newRow)], ['JOB', 'STATE', 'NEXT']);
    return STATUS.done;
  });
};

const jobRow = ({ name, state, schedule, timeZone, nextScheduledAt, last, tags }: JobAnswer) => [
  text(name),
  text(state),
  text(schedule),
  text(timeZone),
  scheduleWords(schedule ?? null, text(timeZone), text(name)),
  second(nextScheduledAt),
  text(last?.state),
  items(tags).join(' '),
];

const newRow = ({ name, schedule, timeZone, tags }: Job): string[] => [
  name,
  'not yet registered',
  text(schedule),
  timeZone,
  scheduleWords(schedule, timeZone, name),
  '-',
  '-',
  tags.join(' '),
];
