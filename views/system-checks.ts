import { html, type Printable } from './html.ts';
import type { SystemView } from './system.ts';
import { count, dayMonth, duration, since, time } from './time.ts';

/** Something to look at, and what to do about it. */
export interface Check {
  /** `bad` keeps jobs from running as they should; `look` may be as it is meant to be. */
  readonly tone: 'bad' | 'look';
  readonly what: Printable;
  readonly todo: Printable;
}

/** All there is to look at, what is bad first. None: all is well. */
export function checksOf(view: SystemView): Check[] {
  const found = [
    ...storeChecks(view),
    ...clockChecks(view),
    ...wakeChecks(view),
    ...jobChecks(view),
    ...leaseChecks(view),
    ...auditChecks(view),
    ...schedulerChecks(view),
    ...codeChecks(view),
  ];
  return [
    ...found.filter(({ tone }) => tone === 'bad'),
    ...found.filter(({ tone }) => tone !== 'bad'),
  ];
}

const bad = (what: Printable, todo: Printable): Check => ({ tone: 'bad', what, todo });
const look = (what: Printable, todo: Printable): Check => ({ tone: 'look', what, todo });

const command = (text: string) => html`<code>${text}</code>`;

function storeChecks({ store: { trouble } }: SystemView): Check[] {
  if (trouble === null) return [];
  const todo = `Nothing new starts meanwhile, and ends of runs wait to be put on record. Once it can
    be written again all goes on by itself: nothing has to be restarted.`;
  return [bad(html`The store can’t be written: ${trouble}`, todo)];
}

/** By so much a machine's clock may be off before its log lines mislead. */
const SKEW_MS = 2000;

function clockChecks({ store: { unsteady, skewMs, skewWithinMs } }: SystemView): Check[] {
  const found: Check[] = [];
  if (unsteady !== null) {
    const todo = html`Nothing new starts until it can be trusted. If this machine’s clock is right
      now, accept it: ${command('npm run jobs -- reset-clock')}`;
    found.push(bad(html`The store’s clock can’t be trusted: ${unsteady}`, todo));
  }
  if (Math.abs(skewMs) > SKEW_MS + skewWithinMs) {
    const how = `${duration(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead of'} the store’s`;
    const todo = `Jobs go by the store’s time, so they start when they should; but log lines are
      off by as much. Have the machine’s clock set by NTP.`;
    found.push(look(`This process’s clock is ${how}`, todo));
  }
  return found;
}

function wakeChecks(view: SystemView): Check[] {
  const { now, store, wake, timing, startedAt } = view;
  const byTimer = wake.by === 'timer';
  // That is why, and was said.
  if (store.trouble !== null) return [];
  if (wake.trouble !== null) {
    const todo =
      'Nothing starts meanwhile. It tries again each second: see that the store answers.';
    return [bad(html`Wake-ups fail: ${wake.trouble}`, todo)];
  }
  const todo = byTimer
    ? 'The process’s log says why; starting it again helps, if nothing else does.'
    : html`See that what posts to ${command('/triggers/tick')} each minute is there, and let in:
      ${command('npm run doctor')}`;
  // Another process’s wake-ups are noted from time to time only.
  const silentAfter = timing.lateAfterMs + (byTimer ? 0 : timing.seenEveryMs);
  const heardAt = wake.last?.at ?? startedAt;
  if (now - heardAt > silentAfter) {
    const never = wake.last === null ? 'Nothing has woken the jobs for' : 'The last wake-up was';
    const ago = wake.last === null ? since(heardAt, now) : time(heardAt, now);
    return [bad(html`${never} ${ago}`, todo)];
  }
  const lag = wake.last?.lagMs ?? 0;
  if (lag <= timing.lateAfterMs) return [];
  return [look(`The last wake-up found what had been due for ${duration(lag)}`, todo)];
}

const NAMED = 5;

const named = (names: readonly string[]): string =>
  names.length > NAMED
    ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`
    : names.join(', ');

function jobChecks({ broken, overdue, process: { full } }: SystemView): Check[] {
  const found: Check[] = [];
  if (broken.length > 0) {
    const names = named(broken.map(({ name }) => name));
    const todo = 'The reasons stand below. Each is looked at again from time to time.';
    found.push(bad(`${count(broken.length, 'job')} can’t be decided about: ${names}`, todo));
  }
  if (overdue.length > 0) {
    const todo = full
      ? html`This process has no room for more: raise ${command('PUNCTUAL_MAX_RUNNING')}, or run
        another instance.`
      : 'See whether wake-ups come, and whether there is room for more runs.';
    const what = `${count(overdue.length, 'job')} came due and ${
      overdue.length === 1 ? 'was' : 'were'
    } not looked at: ${named(overdue)}`;
    found.push(bad(what, todo));
  }
  return found;
}

function leaseChecks({ leases, now, timing }: SystemView): Check[] {
  const ended = leases.filter(({ endsAt }) => now - endsAt > timing.lateAfterMs);
  if (ended.length === 0) return [];
  const what = `${count(ended.length, 'lease')} ran out, and no wake-up has noticed: ${named(
    ended.map(({ job }) => job),
  )}`;
  return [bad(what, 'The next wake-up of the job settles it: see whether wake-ups come.')];
}

/** The audit is a daily job: after this it was left out. */
const AUDIT_OLD_MS = 60 * 3_600_000;

function auditChecks({ audit, auditJob, now }: SystemView): Check[] {
  if (audit === undefined) return [];
  if (audit.gaps > 0) {
    const again = command('npm run audit');
    const todo = html`They are named below. ${again} looks again, at all there is.`;
    return [bad(`The last self-audit found ${count(audit.gaps, 'unexplained gap')}`, todo)];
  }
  if (now - audit.at <= AUDIT_OLD_MS) return [];
  const todo = auditJob
    ? html`See <a href="/jobs/self-audit">self-audit</a>.`
    : html`Put ${command('selfAudit')} on the list in ${command('jobs/index.ts')}.`;
  return [look(html`The last self-audit was ${time(audit.at, now)}`, todo)];
}

const SYNC = command('npm run scheduler:sync');
const APPLY = command('npm run scheduler:sync -- --apply');

function schedulerChecks({ scheduler, now }: SystemView): Check[] {
  // Never compared is none: what posts to the service may be something else.
  if (scheduler?.note === undefined) return [];
  const { note, changed, resumed } = scheduler;
  if (!note.inSync) {
    const what = html`Cloud Scheduler was out of step ${time(note.at, now)}: ${stepWords(note)}`;
    return [bad(what, html`${APPLY} puts it right.`)];
  }
  if (changed) {
    const what = html`The code changed since Cloud Scheduler was compared, ${time(note.at, now)}`;
    return [look(what, html`${SYNC} shows what has to change, if anything.`)];
  }
  if (resumed.length === 0) return [];
  const jobs = named(resumed);
  const what = `Triggers in Cloud Scheduler are still paused, of jobs that are not: ${jobs}`;
  return [look(what, html`The tick wakes them meanwhile. ${APPLY} resumes their triggers.`)];
}

/** `2 to create, 1 to update`. */
export const stepWords = ({
  steps,
}: {
  readonly steps: Readonly<Record<string, number>>;
}): string =>
  Object.entries(steps)
    .map(([kind, n]) => (kind === 'blocked' ? `${n} blocked` : `${n} to ${kind}`))
    .join(', ');

function codeChecks({ builds, now, process: { build, zones } }: SystemView): Check[] {
  const found: Check[] = [];
  const inForce = builds.find((one) => one.inForce);
  if (inForce !== undefined && inForce.build !== build) {
    const todo = html`A deploy that goes on looks like this for a while. After a rollback the older
      build takes over by itself, or at once: ${command('npm run jobs -- adopt')}`;
    found.push(
      look(`This process is ${build}, but the definitions of ${inForce.build} hold`, todo),
    );
  }
  const year = Number(/^\d{4}/.exec(zones)?.[0] ?? 0);
  if (year < new Date(now).getUTCFullYear() - 1) {
    const todo = 'Update Node: rules of time zones change several times a year.';
    found.push(look(`The time-zone data is of ${zones}`, todo));
  }
  return found;
}

/** `0 unexplained gaps since 3 May`. */
export function auditWords({ audit }: Pick<SystemView, 'audit'>): string | undefined {
  if (audit === undefined) return undefined;
  const { gaps, cleanSince } = audit;
  const words = count(gaps, 'unexplained gap');
  return cleanSince === null ? words : `${words} since ${dayMonth(cleanSince)}`;
}
