import { shownAt } from '../server/core/schedule.ts';
import { isoInstant } from '../server/core/time.ts';
import type { Progress } from '../server/triggers/scheduler-apply.ts';
import type { SchedulerSettings, Setting } from '../server/triggers/scheduler-job.ts';
import type { Change, Plan, Preview, Step } from '../server/triggers/scheduler-plan.ts';
import type { Caution, Waking, Wanted } from '../server/triggers/scheduler-wanted.ts';
import { warnings } from '../views/clock-changes.ts';
import { count, duration } from '../views/time.ts';

/** A plan for Cloud Scheduler, as a person reads it. */

export interface About {
  readonly place: string;
  readonly namespace: string;
  readonly serviceUrl: string;
  readonly offline: boolean;
  /** How many jobs are in the code, and how many triggers they take beside the tick. */
  readonly jobs: number;
  readonly triggers: number;
  readonly applies: boolean;
  readonly now: number;
}

const WIDTH = 100;

export function planLines(plan: Plan, wanted: Wanted, about: About): string[] {
  const steps = plan.steps.flatMap((step) => [...stepLines(step), '']);
  return [
    ...headLines(plan, about),
    '',
    ...steps,
    ...wakingLines(wanted),
    '',
    ...ending(plan, about),
  ];
}

function headLines({ ours, others }: Plan, about: About): string[] {
  const own = about.triggers === 0 ? '' : ` and ${count(about.triggers, 'trigger')} of their own`;
  const are = ours === 1 ? 'is 1' : `are ${ours}`;
  const foreign = others === 1 ? '1 other there is' : `${others} others there are`;
  return [
    `${about.place}, for ${about.serviceUrl}, namespace ${about.namespace}`,
    `${count(about.jobs, 'job')} in the code: wanted are the tick${own}; there ${are}`,
    ...(others === 0 ? [] : [`${foreign} not ours and left alone`]),
    ...(about.offline ? ['The store was not asked: what is paused stays paused'] : []),
  ];
}

const INDENT = 9;

/** What is done, then what about it, line by line under the id. */
function stepLines(step: Step): string[] {
  const lines = aboutStep(step);
  return [`${step.kind.padEnd(INDENT)}${step.id}`, ...lines.flatMap((line) => hung(INDENT, line))];
}

function aboutStep(step: Step): string[] {
  switch (step.kind) {
    case 'create':
      return [
        `${step.settings.schedule}  ${step.settings.timeZone}  →  ${pathOf(step.settings)}`,
        `next  ${previewText(step.after)}`,
      ];
    case 'update': {
      const { changes, before, after } = step;
      const width = Math.max(...changes.map(({ setting }) => NAMES[setting].length), 6) + 2;
      return [
        ...(step.why === null ? [] : [step.why]),
        ...changes.map((change) => changeText(change, width)),
        ...(before === null ? [] : [`${'before'.padEnd(width)}${previewText(before)}`]),
        ...(after === null ? [] : [`${'after'.padEnd(width)}${previewText(after)}`]),
      ];
    }
    case 'delete':
      return [step.why, `next  ${previewText(step.before)}`];
    case 'replace':
    case 'pause':
    case 'resume':
    case 'blocked':
      return [step.why];
  }
}

/** The service's URL is told once, above. */
const pathOf = ({ method, url, deadlineMs }: SchedulerSettings): string =>
  `${method} ${new URL(url).pathname}, waits ${duration(deadlineMs)}`;

const NAMES: Readonly<Record<Setting, string>> = {
  description: 'description',
  schedule: 'schedule',
  timeZone: 'time zone',
  url: 'url',
  method: 'method',
  account: 'service account',
  audience: 'audience',
  deadlineMs: 'deadline',
  retries: 'retries',
  retryForMs: 'retries for at most',
  retryFromMs: 'first retry after',
  retryToMs: 'retries at most after',
  retryDoublings: 'doublings',
};

function changeText({ setting, from, to }: Change, width: number): string {
  const shown = (value: string | number): string => {
    if (typeof value === 'string') return value === '' ? '(none)' : value;
    return setting.endsWith('Ms') ? duration(value) : `${value}`;
  };
  return `${NAMES[setting].padEnd(width)}${shown(from)}  →  ${shown(to)}`;
}

/** The wall times that the clocks of its zone show. */
function previewText({ timeZone, occurrences }: Preview): string {
  if (occurrences === null) return 'not cron text that can be read here';
  if (occurrences.length === 0) return 'none';
  const times = occurrences.map((at) =>
    isoInstant(shownAt(timeZone, at)).slice(0, 16).replace('T', ' '),
  );
  return `${times.join(', ')}  ${timeZone}`;
}

const BY: Readonly<Record<Waking['by'], string>> = {
  trigger: 'own trigger',
  tick: 'the tick',
  hand: 'only by hand',
};

function wakingLines({ wakings, cautions }: Wanted): string[] {
  const width = Math.max(3, ...wakings.map(({ job }) => job.length)) + 2;
  const by = (waking: Waking): string =>
    waking.triggers.length > 1 ? `${waking.triggers.length} triggers` : BY[waking.by];
  const indent = width + 14;
  const row = (job: string, who: string, why: string): string[] => {
    const [first = '', ...more] = wrapped(why, WIDTH - indent);
    const begin = `${job.padEnd(width)}${who.padEnd(14)}${first}`.trimEnd();
    return [begin, ...more.map((line) => ' '.repeat(indent) + line)];
  };
  const warned = cautions.flatMap((caution) =>
    cautionLines(caution).flatMap((line) => {
      const [first = '', ...more] = wrapped(line, WIDTH - width);
      return [caution.job.padEnd(width) + first, ...more.map((text) => ' '.repeat(width) + text)];
    }),
  );
  return [
    ...row('JOB', 'WOKEN BY', 'WHY'),
    ...wakings.flatMap((waking) => row(waking.job, by(waking), waking.why)),
    ...(warned.length === 0 ? [] : ['', 'WARNINGS', ...warned]),
    ...(cautions.some(({ kind }) => kind === 'clocks') ? ['', ...wrapped(ON_CLOCKS, WIDTH)] : []),
  ];
}

/** One line for each thing to know. */
export function cautionLines(caution: Caution): string[] {
  return caution.kind === 'text' ? [caution.text] : warnings([caution.change]);
}

const ON_CLOCKS =
  'What Cloud Scheduler does in an hour that is left out or comes twice is not documented. ' +
  'Its triggers are hints: the service decides as told above, and the tick makes good within a ' +
  'minute what a trigger does not.';

function ending({ steps }: Plan, { applies }: About): string[] {
  if (steps.length === 0) return ['Cloud Scheduler is in step: nothing to do'];
  const kinds = ['create', 'replace', 'update', 'resume', 'pause', 'delete'] as const;
  const counts = kinds
    .map((kind) => [steps.filter((step) => step.kind === kind).length, kind] as const)
    .filter(([n]) => n > 0)
    .map(([n, kind]) => `${n} to ${kind}`);
  const blocked = steps.filter(({ kind }) => kind === 'blocked').length;
  if (blocked > 0) counts.push(`${blocked} blocked`);
  const then = applies ? '' : '. Nothing was changed: --apply does it';
  return [`Plan: ${counts.join(', ')}${then}`];
}

const DONE = {
  create: 'created',
  replace: 'replaced',
  update: 'updated',
  resume: 'resumed',
  pause: 'paused',
  delete: 'deleted',
  blocked: 'blocked',
} as const;

export function progressLine({ step, n, of, outcome, why }: Progress): string {
  const begin = `${`${n}`.padStart(`${of}`.length)}/${of}`;
  switch (outcome) {
    case 'done':
      return `${begin} ${DONE[step.kind]} ${step.id}`;
    case 'lost':
      return `${begin} not as expected, to be looked at again: ${step.id}`;
    case 'failed':
      return `${begin} not taken: ${why ?? step.id}`;
  }
}

/** A line under another, and its further lines under it. */
const hung = (indent: number, line: string): string[] => {
  const room = WIDTH - indent;
  // Cron text and columns keep their spaces.
  const lines = line.length <= room ? [line] : wrapped(line, room);
  return lines.map((text) => ' '.repeat(indent) + text);
};

/** A text in lines of at most so many columns. */
export function wrapped(text: string, width: number): string[] {
  const room = Math.max(30, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line += line === '' ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}
