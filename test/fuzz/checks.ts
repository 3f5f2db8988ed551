import { assertConforms } from '../http/conforms.ts';
import { ruleOf, rulesOf } from '../../server/http/rules.ts';
import type { WireAnswer } from './answers.ts';
import type { Caller } from './callers.ts';
import { LIVE, NOT_YOURS, SECRET } from './canary.ts';

/** What is asked of every answer, whatever it answers. Each gives what is wrong, in words. */

/** What an answer was to, as far as that is known: of what was said by hand it may not be. */
export interface Asked {
  readonly method: string;
  readonly target: string;
}

/** A refusal says what is wrong, and does not send all of it back; a form shown again does. */
const REFUSAL_BYTES = 32 * 1024;
const ERRORS_MEANT = new Set([503]);

export function faultsOf(
  answer: WireAnswer,
  asked: Asked | null,
  caller: Caller,
): readonly string[] {
  const { status } = answer;
  return [
    ...(status >= 500 && !isShedding(answer) ? [`answered ${status}: ${start(answer.text)}`] : []),
    ...(status >= 400 && status !== 422 && answer.bytes.length > REFUSAL_BYTES
      ? [`refused with ${answer.bytes.length} bytes`]
      : []),
    ...headerFaults(answer),
    ...leaks(answer, caller),
    ...(asked === null
      ? []
      : [...rightFaults(answer, asked, caller), ...shapeFaults(answer, asked)]),
    ...(isHtml(answer) ? markupFaults(answer.text) : []),
  ];
}

const start = (text: string): string => text.slice(0, 300);

/** Where it says that it can't do more just now, and when to come again. */
const isShedding = ({ status, headers }: WireAnswer): boolean =>
  ERRORS_MEANT.has(status) && headers.has('retry-after');

const typeOf = ({ headers }: WireAnswer): string =>
  (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';

const isHtml = (answer: WireAnswer): boolean => typeOf(answer) === 'text/html';

/** Types of content that a browser would do nothing with but show it, or run it as our own. */
const TYPES = new Set([
  'text/html',
  'text/plain',
  'text/css',
  'text/javascript',
  'image/svg+xml',
  'application/json',
  'application/problem+json',
  'application/x-ndjson',
]);

function headerFaults(answer: WireAnswer): readonly string[] {
  const { headers, names, bytes, status } = answer;
  const type = typeOf(answer);
  const faults: string[] = [];
  const wants = (name: string, right: RegExp): void => {
    const value = headers.get(name) ?? '';
    if (!right.test(value)) faults.push(`has the header ${name}: ${start(value)}`);
  };
  wants('x-content-type-options', /^nosniff$/);
  if (bytes.length > 0 && !TYPES.has(type)) faults.push(`is of type "${type}"`);
  if (!isOfTheWire(answer)) {
    wants('content-security-policy', /default-src 'none'.*frame-ancestors 'none'/);
    wants('x-frame-options', /^(?:SAMEORIGIN|DENY)$/);
    wants('referrer-policy', /^same-origin$/);
  }
  if (headers.has('location')) wants('location', /^\/(?![/\\])[\x21-\x7e]*$/);
  if (status === 405) wants('allow', /^[A-Z]+(?:, [A-Z]+)*$/);
  if (status === 401) wants('www-authenticate', /^Bearer/);
  for (const name of ['access-control-allow-origin', 'x-powered-by', 'x-injected', 'server']) {
    if (names.includes(name)) faults.push(`has a header ${name}`);
  }
  for (const cookie of headers.getSetCookie()) {
    const isKept = /; HttpOnly/i.test(cookie) && /; SameSite=Lax/i.test(cookie);
    if (!isKept || !/^punctual-(?:form|session)=[\w.-]*;/.test(cookie)) {
      faults.push(`sets the cookie ${cookie}`);
    }
  }
  return faults;
}

/** Answered before there is a request: nothing of it is shown, and the connection ends with it. */
const isOfTheWire = (answer: WireAnswer): boolean =>
  answer.headers.get('connection') === 'close' &&
  typeOf(answer) === 'application/problem+json' &&
  answer.headers.get('cache-control') === 'no-store' &&
  !answer.headers.has('content-security-policy');

function leaks({ text, headers }: WireAnswer, { may }: Caller): readonly string[] {
  const all = `${[...headers.values()].join('\n')}\n${text}`;
  return [
    ...(all.includes(SECRET) ? ['shows what is secret'] : []),
    ...(may === 'some-jobs' && all.includes(NOT_YOURS) ? ['shows a job that is not theirs'] : []),
    ...(/node_modules|\.ts:\d+|at (?:async )?\w+ \(|SQLITE_/.test(problemText(text))
      ? [`shows what it is made of: ${start(text)}`]
      : []),
  ];
}

/** Problems are told in our words; a run may have failed in any. */
const problemText = (text: string): string => (text.startsWith('{"type":"/api') ? text : '');

/** Only those who may get more than a refusal. */
function rightFaults(answer: WireAnswer, asked: Asked, { may, name }: Caller): readonly string[] {
  const { status } = answer;
  if (may !== 'nothing' || status >= 400 || isOfTheWire(answer)) return [];
  const path = /^[^?]*/.exec(asked.target)?.[0] ?? '';
  const isOpen = ruleOf(asked.method, path)?.right === 'anyone';
  return isOpen ? [] : [`let ${name} in with ${status}`];
}

function shapeFaults(answer: WireAnswer, { method, target }: Asked): readonly string[] {
  const path = asRouted(target);
  if (!/^\/api\/v1(?:[/?]|$)/.test(path)) return [];
  const isBare = method === 'HEAD' || method === 'OPTIONS';
  if (isOfTheWire(answer) || (isBare && answer.status >= 400)) {
    return isProblem(answer) ? [] : [`is no problem (RFC 9457): ${start(answer.text)}`];
  }
  try {
    assertConforms(method, path, answer);
    return [];
  } catch (error) {
    return [`does not conform: ${String(error).slice(0, 1000)}`];
  }
}

/** As the document has it: the router takes it in any case, and with a slash at its end. */
function asRouted(target: string): string {
  const [path = '', ...query] = target.split('?');
  const given = path.split('/');
  const [rule] = rulesOf(path);
  const parts = rule?.path.split('/').map((part, i) => (part.startsWith(':') ? given[i] : part));
  return [parts?.join('/') ?? path, ...query].join('?');
}

const isProblem = ({ body, status, bytes }: WireAnswer): boolean =>
  bytes.length === 0 || (body?.['status'] === status && typeof body['title'] === 'string');

const TAG =
  /<([a-z][^\s/>]*)((?:[\s/]+[^\s=/>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)[\s/]*>/gi;
/** Attributes whose value is an address that somebody or something goes to. */
const LEADING = /^(?:href|src|action|formaction|xlink:href|data|hx-(?:get|post|put|delete))$/i;
const ATTRIBUTE = /([^\s=/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?/g;

/** What came from anywhere must not have become an element, or a part of one that does anything. */
export function markupFaults(text: string): readonly string[] {
  const faults: string[] = [];
  for (const [whole, tag = '', attributes = ''] of text.matchAll(TAG)) {
    if (tag.includes(LIVE)) faults.push(`has the element ${whole}`);
    if (/^(?:script|iframe|object|embed|base)$/i.test(tag) && !/ src="?\/assets\//.test(whole)) {
      faults.push(`has the element ${whole}`);
    }
    for (const [, name = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
      const isOurs = !/^on|^style$/i.test(name) && !name.includes(LIVE);
      const runs = LEADING.test(name) && /^["']?\s*(?:javascript|data|vbscript):/i.test(value);
      if (!isOurs || runs) faults.push(`has ${name}=${value} in ${start(whole)}`);
    }
  }
  return faults.slice(0, 3);
}

/** Events of the log that a request must never lead to. */
const BAD_EVENTS = /^(?:request_failed|uncaught|attempt_broken|job_quarantined|wake_failed)$/;

/** What is wrong with a line of the log. */
export function logFaults(line: string, secrets: readonly string[]): readonly string[] {
  const leaked = [SECRET, ...secrets].some((secret) => line.includes(secret));
  return [...(leaked ? ['the log shows what is secret'] : []), ...eventFaults(line)];
}

function eventFaults(line: string): readonly string[] {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    // One thing that is printed in several lines is one fault, told by the first of them.
    return /^[\s}]/.test(line) ? [] : [`the log has a line that is no event: ${start(line)}`];
  }
  const message: unknown = Reflect.get(Object(event), 'message');
  const severity: unknown = Reflect.get(Object(event), 'severity');
  const isBad = typeof message !== 'string' || severity === 'ERROR' || BAD_EVENTS.test(message);
  return isBad ? [`the log says ${line.slice(0, 1500)}`] : [];
}
