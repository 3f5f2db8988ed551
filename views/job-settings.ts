import type {
  Backoff,
  CatchUp,
  Overlap,
  RetryPolicy,
  ScheduleText,
  Spec,
} from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { scheduleWords } from './schedule-words.ts';
import { duration, fullTime } from './time.ts';

/** What decides about a job's runs. */
export interface Policies extends ScheduleText {
  readonly spec: Spec;
}

/** The settings on record, and those of the code that shows them. */
export interface JobSettings {
  readonly inForce: Policies;
  /** Which build's code they are, and since when this schedule names occurrences. */
  readonly build: string;
  readonly scheduleSince: Instant;
  readonly registeredAt: Instant;
  /** Null where this build does not have the job. */
  readonly code: Policies | null;
  readonly codeBuild: string;
  readonly input: string;
  /** What its handler may take in a worker of its own; null where it has none. */
  readonly isolate: { readonly memoryMb: number } | null;
}

interface Setting {
  readonly label: string;
  readonly words: (policies: Policies) => string;
  /** What it is for. */
  readonly meaning: string;
}

/** All settings in force, each with what it means; and where the code here says otherwise. */
export function settingsSection(name: string, settings: JobSettings | null, now: Instant): Html {
  if (settings === null) {
    return html`<section id="settings"><h2>Settings in force</h2>
      <p class="none">None yet: the job is not on record.</p></section>`;
  }
  const { inForce, code, build, codeBuild, registeredAt, scheduleSince, input, isolate } = settings;
  const registered = fullTime(registeredAt, now);
  const rows = SETTINGS(name).map((setting) => row(setting, inForce, code));
  return html`<section id="settings">
    <h2>Settings in force</h2>
    ${differs(settings, name) && notice(build, codeBuild)}
    <dl class="settings">
      ${rows}
      ${code !== null && fact('Runs in', placeWords(isolate), 'Whether it can block others.')}
      ${fact('Input', input, 'What a run can be given.')}
      ${fact('Defined by', html`build <code>${build}</code>`, 'Whose code these settings are.')}
      ${fact('Registered', registered, 'Since when its occurrences are on record.')}
      ${
        scheduleSince > registeredAt &&
        fact('This schedule', html`since ${fullTime(scheduleSince, now)}`, 'Others came before it.')
      }
    </dl>
  </section>`;
}

const notice = (build: string, codeBuild: string): Html =>
  html`<p class="notice">The code of this build (<code>${codeBuild}</code>) says otherwise where it
    is marked. In force is what build <code>${build}</code> defined, as the newest that is
    alive.</p>`;

const differs = ({ inForce, code }: JobSettings, name: string): boolean =>
  code !== null && SETTINGS(name).some(({ words }) => words(inForce) !== words(code));

function row({ label, words, meaning }: Setting, inForce: Policies, code: Policies | null): Html {
  const value = words(inForce);
  const other = code === null ? value : words(code);
  const here = other !== value && html` <span class="differs">here: ${other}</span>`;
  return fact(label, html`${value}${here}`, meaning);
}

const fact = (label: string, value: Printable, meaning: string): Html =>
  html`<div><dt>${label}</dt><dd>${value}<small>${meaning}</small></dd></div>`;

const SETTINGS = (name: string): readonly Setting[] => [
  {
    label: 'Schedule',
    words: ({ schedule, timeZone }) =>
      schedule === null
        ? 'only by hand'
        : `${scheduleWords(schedule, timeZone, name)} (${schedule}, ${timeZone})`,
    meaning: 'Which instants it runs at.',
  },
  {
    label: 'Overlap',
    words: ({ spec }) => overlapWords(spec.overlap),
    meaning: 'What becomes of an occurrence that falls due while an earlier run is unfinished.',
  },
  {
    label: 'Catch-up',
    words: ({ spec }) => catchUpWords(spec.catchUp),
    meaning: 'Which occurrences start after an outage; the others are on record as missed.',
  },
  {
    label: 'Timeout',
    words: ({ spec }) => duration(spec.timeoutMs),
    meaning: 'How long one attempt may take. Its signal is aborted then.',
  },
  {
    label: 'Retry',
    words: ({ spec }) => retryWords(spec.retry),
    meaning: 'What happens after an attempt that failed or timed out.',
  },
  {
    label: 'On lost',
    words: ({ spec }) =>
      spec.onLost === 'fail' ? 'fail: the run ends as lost' : 'retry: another attempt starts',
    meaning: 'What becomes of a run whose process died.',
  },
  {
    label: 'Lease',
    words: ({ spec }) => duration(spec.leaseMs),
    meaning: 'How long an attempt is believed alive without a sign of life.',
  },
];

export function overlapWords(overlap: Overlap): string {
  switch (overlap) {
    case 'skip':
      return 'skip: the new one does not run';
    case 'queue':
      return 'queue: the new one waits, and of several the latest runs';
    case 'replace':
      return 'replace: the earlier run is told to stop, then the new one runs';
    default:
      return `allow ${overlap.allow}: so many may run at once`;
  }
}

const placeWords = (isolate: JobSettings['isolate']): string =>
  isolate === null
    ? 'the process of the service'
    : `a worker of its own, with ${isolate.memoryMb} MiB of memory at most`;

function catchUpWords({ runs, withinMs, max }: CatchUp): string {
  switch (runs) {
    case 'none':
      return 'none';
    case 'latest':
      return `latest: the newest, if it is younger than ${duration(withinMs)}`;
    case 'all':
      return `all: those younger than ${duration(withinMs)}, the newest ${max} at most`;
  }
}

function retryWords({ attempts, backoff }: RetryPolicy): string {
  return attempts === 1 ? 'none: one attempt' : `${attempts} attempts, ${backoffWords(backoff)}`;
}

/** `the next after 10 s, then 2 times as long each time, 5 min at most, ± 10 %`. */
function backoffWords({ fromMs, factor, toMs, jitter }: Backoff): string {
  const grows = factor > 1 && toMs > fromMs;
  return [
    `the next after ${duration(fromMs)}`,
    ...(grows ? [`then ${factor} times as long each time, ${duration(toMs)} at most`] : []),
    ...(jitter > 0 ? [`± ${Math.round(jitter * 100)} %`] : []),
  ].join(', ');
}
