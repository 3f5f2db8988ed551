import type { Level, Log } from '../core/deps.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Cloud Logging's names: https://cloud.google.com/logging/docs/structured-logging */
const SEVERITY = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' } as const;

/**
 * Writes one event a line: JSON for programs, plain text for a person at a terminal. Line breaks
 * and control characters in values are escaped, so one event stays one line.
 */
export function makeLog(
  level: LogLevel,
  { person, write }: { readonly person: boolean; readonly write: (line: string) => void },
): Log {
  const from = LOG_LEVELS.indexOf(level);
  return (at: Level, event, fields = {}) => {
    if (LOG_LEVELS.indexOf(at) < from) return;
    write(person ? forPerson(at, event, fields) : forProgram(at, event, fields));
  };
}

function forProgram(
  level: Level,
  event: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const { trace, ...rest } = fields;
  const traceId = typeof trace === 'string' ? trace.split('-')[1] : undefined;
  const line = {
    time: new Date().toISOString(),
    severity: SEVERITY[level],
    message: event,
    ...rest,
  };
  return `${oneLine(JSON.stringify(traceId === undefined ? line : { ...line, traceId }))}\n`;
}

/**
 * What JSON leaves as it is, and a terminal or a viewer of logs would take for the end of a line,
 * for a command, or for another order of the words; such can only stand within its texts.
 */
const OBEYED = /[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu;

const oneLine = (json: string): string =>
  json.replaceAll(OBEYED, (sign) =>
    Array.from({ length: sign.length }, (_, i) => sign.charCodeAt(i).toString(16))
      .map((unit) => `\\u${unit.padStart(4, '0')}`)
      .join(''),
  );

const COLOUR = { debug: 2, info: 0, warn: 33, error: 31 } as const;

function forPerson(level: Level, event: string, fields: Readonly<Record<string, unknown>>): string {
  const clock = new Date().toISOString().slice(11, 23);
  const parts = Object.entries(fields)
    .filter(([key, value]) => value !== undefined && value !== null && key !== 'trace')
    .map(([key, value]) => `${key}=${plain(value)}`);
  const text = `${clock} ${event.replaceAll('_', ' ')} ${parts.join(' ')}`.trimEnd();
  return `\u001b[${COLOUR[level]}m${text}\u001b[0m\n`;
}

/** Bare where that is clear, quoted and escaped where it is not. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[\w@!.:~+-]+$/.test(text) ? text : oneLine(JSON.stringify(text));
}
