import { ruleOf } from '../../server/http/rules.ts';
import type { Caller } from './callers.ts';
import { faultsOf, logFaults, type Asked } from './checks.ts';
import type { Heard } from './connection.ts';
import { targetOf, type Draft } from './draft.ts';
import { LIMITED_TO } from './jobs.ts';
import type { Plan } from './plan.ts';
import type { Place } from './place.ts';
import { changes, type Sketch } from './records.ts';

/** What came of each request of a plan. */
export interface Outcome {
  readonly plan: Plan;
  readonly heard: readonly Heard[];
}

/** What is wrong with what was heard, in words. */
export function heardFaults({ plan, heard }: Outcome): readonly string[] {
  return plan.kind === 'script'
    ? heard.flatMap((one) => scriptFaults(one, plan))
    : heard.flatMap((one, i) => requestFaults(one, plan.drafts[i], plan.caller));
}

const waited = ({ tookMs }: Heard): string => `within ${(tookMs / 1000).toFixed(1)} s`;

function requestFaults(heard: Heard, one: Draft | undefined, caller: Caller): readonly string[] {
  const { answers, end, fault } = heard;
  const asked: Asked | null = one === undefined ? null : { ...one, target: targetOf(one) };
  return [
    ...(fault === null ? [] : [`what came is no answer: ${fault}`]),
    ...(end === 'silent' ? [`no answer came ${waited(heard)}`] : []),
    ...(answers.length === 0 && (end === 'closed' || end === 'reset') && fault === null
      ? [`it was ${end} without an answer`]
      : []),
    ...(answers.length > 1 ? [`${answers.length} answers came to one request`] : []),
    ...answers.flatMap((answer) => faultsOf(answer, asked, caller)),
  ];
}

function scriptFaults(
  heard: Heard,
  { script, caller }: Extract<Plan, { kind: 'script' }>,
): readonly string[] {
  const { answers, end, fault } = heard;
  return [
    ...(fault === null || end === 'left' ? [] : [`what came is no answer: ${fault}`]),
    ...(end === 'silent' ? [`it was not closed ${waited(heard)}`] : []),
    ...(answers.length > script.answersAtMost
      ? [`${answers.length} answers came, ${script.answersAtMost} at most would be right`]
      : []),
    ...answers.flatMap((answer) => faultsOf(answer, null, caller)),
  ];
}

/** Whether what was sent may have changed anything at all. */
export function mayHaveChanged({ plan, heard }: Outcome): boolean {
  const { may } = plan.caller;
  if (may === 'look' || may === 'nothing') return false;
  if (plan.kind === 'script') {
    const isCut = plan.script.steps.some((step) => step === 'vanish' || step === 'half-close');
    const answers = heard.flatMap((one) => one.answers);
    return isCut || answers.length === 0 || answers.some(({ status }) => status < 400);
  }
  return heard.some(({ answers }, i) => {
    const isSafe = /^(?:GET|HEAD|OPTIONS|TRACE)$/.test(plan.drafts[i]?.method ?? '');
    return !isSafe && answers.every(({ status }) => status < 400);
  });
}

/** What was changed that must not have been. */
export function changeFaults(outcome: Outcome, before: Sketch, after: Sketch): readonly string[] {
  const changed = changes(before, after);
  if (!mayHaveChanged(outcome)) return changed.map((one) => `it changed the store: ${one}`);
  if (outcome.plan.caller.may !== 'some-jobs') return [];
  const theirs = LIMITED_TO.map((name) => `job ${name}:`);
  return changed
    .filter((one) => /^(?:job|meta) /.test(one) && !theirs.some((job) => one.startsWith(job)))
    .map((one) => `it changed what is not theirs: ${one}`);
}

/** What is wrong with the server itself. */
export function serverFaults({ server, secrets }: Place): readonly string[] {
  const { exitCode, signalCode } = server.child;
  const ended = exitCode ?? signalCode;
  return [
    ...(ended === null ? [] : [`the server ended with ${ended}`]),
    ...server.newLines().flatMap((line) => logFaults(line, secrets)),
  ];
}

/** The route that a request has come to, as the document has it; or what it was meant for. */
export function routeOf({ method, path, what }: Draft): string {
  const rule = ruleOf(method, path);
  if (rule === undefined) return what.startsWith('raw') ? what : '(no route)';
  return `${rule.method} ${rule.path.replaceAll(/:(\w+)/g, '{$1}')}`;
}
