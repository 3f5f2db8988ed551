import type { FieldProblem } from '../../server/http/errors.ts';
import { visible } from '../../views/html.ts';
import { items, text, type Loose, type ProblemAnswer } from './answers.ts';
import { STATUS, Trouble, WORDS, type Status } from './command.ts';
import type { Place } from './place.ts';
import type { Reply } from './transport.ts';

/** What went wrong between here and a server, in words, with what to do about it. */

/** Where a request went; null for this machine's store, which answers without a network. */
export type Asked = Place | null;

const SHOWN = 300;

interface Missing {
  readonly unsure: boolean;
  /** Whether none ever came, so that the address itself may be wrong. */
  readonly isNew: boolean;
}

/** Why no answer came. */
export function noAnswer(place: Asked, cause: unknown, { unsure, isNew }: Missing): Trouble {
  const { code, message } = causeOf(cause);
  const where = `${place?.url ?? 'this machine'} (${message === '' ? code : message})`;
  const isPlain = isNew && place?.isNamed === true && place.url.startsWith('http:');
  const hint = isPlain && code === 'ECONNRESET' ? `: ${HTTPS}` : '';
  const words = KINDS.find(([codes]) => codes.test(code))?.[1];
  const told = words?.(where, place) ?? `no answer came from ${where}${hint}`;
  return new Trouble(STATUS.noAnswer, told, { unsure });
}

const HTTPS = 'should PUNCTUAL_URL begin with https://?';

/** What the codes of Node and of OpenSSL mean to whoever called. */
const KINDS: readonly (readonly [codes: RegExp, words: (where: string, at: Asked) => string])[] = [
  [
    /^ECONNREFUSED$/,
    (where, at) =>
      `no server answers at ${where}: ` +
      (at?.isNamed ? 'is PUNCTUAL_URL right, and does it run?' : 'start it with npm start'),
  ],
  [
    /^(?:ENOTFOUND|EAI_AGAIN)$/,
    (where) => `nobody knows the host of ${where}: is PUNCTUAL_URL right?`,
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO/,
    (where) =>
      `who answers at ${where} can't be trusted: its certificate does not hold; a CA of your own ` +
      'goes into NODE_EXTRA_CA_CERTS=file',
  ],
  [
    /^(?:EPROTO|ERR_SSL_)/,
    (where) => `no TLS is spoken at ${where}: should PUNCTUAL_URL begin with http://?`,
  ],
  [/^HPE_/, (where) => `no HTTP is spoken at ${where}: ${HTTPS}`],
];

/** Where a name has several addresses, each of them failed. */
function causeOf(cause: unknown): { readonly code: string; readonly message: string } {
  const errors: unknown = Reflect.get(Object(cause), 'errors');
  const inner: unknown = Array.isArray(errors) ? errors[0] : cause;
  const code: unknown = Reflect.get(Object(inner), 'code');
  const message = inner instanceof Error ? inner.message : String(inner);
  // OpenSSL tells besides where in its source code that is.
  const words = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
  return { code: typeof code === 'string' ? code : '', message: words.trim().slice(0, SHOWN) };
}

/** What an answer says that is not what was asked for. `token` may be repeated by nobody. */
export function refusal(place: Asked, reply: Reply): Trouble {
  const trouble = refused(place, reply);
  const token = place?.token ?? null;
  if (token === null || !trouble.message.includes(token)) return trouble;
  const { status, unsure } = trouble;
  return new Trouble(status, trouble.message.replaceAll(token, '[token]'), { unsure });
}

function refused(place: Asked, reply: Reply): Trouble {
  const { status } = reply;
  const at = place?.url ?? 'this machine';
  const problem = problemIn(reply);
  if (status >= 300 && status < 400) return redirected(at, reply);
  if (problem === undefined) return foreign(at, reply, place);
  // What it has no address for, it can't be asked: that is no word on a job or a run.
  if ((status === 404 && !problem.title?.startsWith('No such')) || status === 405) {
    return new Trouble(
      STATUS.noAnswer,
      `the server at ${at} does not know this request (${text(problem.detail)}): it is of ` +
        'another version',
    );
  }
  const more = credentials(status, place);
  const lines = items(problem.errors).map((error) => problemLine(error));
  const words = lines.length > 0 ? lines.join('\n') : text(problem.detail ?? problem.title);
  return new Trouble(statusOf(status), words + more, { unsure: status >= 500 });
}

function statusOf(status: number): Status {
  if (status === 401 || status === 403) return STATUS.notAllowed;
  if (status === 404) return STATUS.notThere;
  if (status === 409 || status === 429) return STATUS.conflict;
  return status >= 500 || status === 408 ? STATUS.noAnswer : STATUS.usage;
}

/** What to do where the server does not know, or does not trust, who asks. */
function credentials(status: number, place: Asked): string {
  if (status !== 401) return '';
  return place?.token
    ? '; it does not take this PUNCTUAL_TOKEN: it may be revoked, or of another service'
    : '; set PUNCTUAL_TOKEN to a token of this service, as `npm run -s tokens -- add NAME --role ' +
        'operator` prints one where its store is';
}

/** A field of the query or of the body goes by the name of the option that it came from. */
function problemLine({ path, message }: Loose<FieldProblem>): string {
  const name = /^[?/](\w+)$/.exec(path ?? '')?.[1] ?? '';
  const isOption = name !== 'input' && WORDS.some((word) => word === name);
  const where = isOption ? `--${name}` : (path ?? '');
  return where === '' ? text(message) : `${where}: ${text(message)}`;
}

/** Problem details; undefined for whatever else somebody answers. */
function problemIn({ text: body, headers }: Reply): ProblemAnswer | undefined {
  if (!/^application\/(?:problem\+)?json\b/.test(headers['content-type'] ?? '')) return undefined;
  try {
    const problem: ProblemAnswer | null = JSON.parse(body);
    return typeof problem?.title === 'string' ? problem : undefined;
  } catch {
    return undefined;
  }
}

function redirected(at: string, { status, headers }: Reply): Trouble {
  const to = text(headers.location).slice(0, SHOWN);
  const https = at.replace(/^http:/, 'https:');
  const isUpgrade = https !== at && to.startsWith(https);
  const why = isUpgrade
    ? `set PUNCTUAL_URL to ${https}`
    : 'something before it wants people to sign in, or PUNCTUAL_URL is not right';
  return new Trouble(STATUS.noAnswer, `${at} answers ${status}, and sends on to ${to}: ${why}`);
}

/** Whatever it is, it is not the API that says this. */
function foreign(at: string, { status, text: body }: Reply, place: Asked): Trouble {
  const isHtml = /^\s*<(?:!doctype|html|head|body)/i.test(body);
  const title = /<title[^>]*>([^<]{1,200})/i.exec(body)?.[1]?.trim();
  const said = isHtml
    ? `a web page${title ? ` ("${title}")` : ''}`
    : `"${body.trim().slice(0, SHOWN)}"`;
  const kind = statusOf(status);
  const mine = kind === STATUS.notAllowed || kind === STATUS.conflict ? kind : STATUS.noAnswer;
  const why = 'is it Punctual, or a proxy before it that wants people to sign in?';
  const more = credentials(status, place);
  return new Trouble(mine, visible(`${at} answers ${status} with ${said}: ${why}${more}`), {
    unsure: status >= 500,
  });
}
