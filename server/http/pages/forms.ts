import { isUtf8 } from 'node:buffer';
import {
  urlencoded,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { hasBody } from '../body.ts';
import { HttpError } from '../errors.ts';
import { badRequest } from '../read.ts';
import { assertOurForm, FORM_HEADER } from '../visit.ts';

/** What a form of a page sends. */

const FORM_LIMIT = 64 * 1024;
const FIELDS_LIMIT = 200;

const parse = urlencoded({
  extended: false,
  limit: FORM_LIMIT,
  parameterLimit: FIELDS_LIMIT,
  inflate: false,
  verify: (_req, _res, body) => {
    if (!isUtf8(body)) throw new HttpError(400, 'Invalid text', 'the form is not UTF-8');
  },
});

/** Reads the body of a form. */
function formBody(req: Request, res: Response, next: NextFunction): void {
  if (hasBody(req.headers) && req.is('application/x-www-form-urlencoded') === false) {
    const detail = 'send a form as application/x-www-form-urlencoded; programs use /api/v1';
    return next(new HttpError(415, 'Unsupported media type', detail));
  }
  parse(req, res, (error?: unknown) => next(error === undefined ? undefined : problemOf(error)));
}

/** Reads each form, and lets on only those of our own pages. */
export const ourForms: RequestHandler = async (req, res, next) => {
  if (req.method !== 'POST') return next();
  await new Promise<void>((resolve, reject) => {
    formBody(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
  assertOurForm(req, formFields(req).get('csrf') ?? req.get(FORM_HEADER));
  next();
};

/** So that whoever sent it is told on a page. */
function problemOf(error: unknown): unknown {
  const type: unknown = Reflect.get(Object(error), 'type');
  if (type === 'entity.too.large') {
    const detail = 'a form may have at most 64 KB; larger data belongs where the job can fetch it';
    return new HttpError(413, 'Too long', detail, { cause: error });
  }
  if (type === 'parameters.too.many') {
    return new HttpError(413, 'Too many fields', `a form may have at most ${FIELDS_LIMIT}`, {
      cause: error,
    });
  }
  return error;
}

/** A form's fields by name, each at most once. */
export function formFields(req: Request): ReadonlyMap<string, string> {
  const body: unknown = req.body;
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(Object(body))) {
    if (typeof value === 'string') found.set(name, value);
    else throw badRequest([{ path: name.slice(0, 100), message: 'may be given only once' }]);
  }
  return found;
}

/** The key that makes all sendings of one form one request; undefined where it has none. */
export function formKey(fields: ReadonlyMap<string, string>): string | undefined {
  const key = fields.get('key');
  if (key === undefined || /^[a-z0-9]{1,64}$/.test(key)) return key;
  throw badRequest([{ path: 'key', message: 'is not one that a form of this page has' }]);
}

/** A `datetime-local` field as an instant: the minute or second that it names, in UTC. */
export function utcField(text: string): number | undefined {
  const [whole, second = '00'] =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::(\d\d)(?:\.\d{1,3})?)?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const at = Date.parse(`${text.slice(0, 16)}:${second}Z`);
  // What no calendar shows would come to another day.
  const real = !Number.isNaN(at) && new Date(at).toISOString().startsWith(text.slice(0, 16));
  return real ? at : undefined;
}

/** An instant as such a field has it, to the minute where that is all of it. */
export function utcText(at: number): string {
  const text = new Date(at).toISOString().slice(0, 19);
  return text.endsWith(':00') ? text.slice(0, -3) : text;
}
