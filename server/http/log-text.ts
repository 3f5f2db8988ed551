import { visibleJson } from '../core/unseen.ts';
import { visible } from '../../views/html.ts';
import type { LogChunk, LogLine } from '../core/records.ts';
import { isoInstant } from '../core/time.ts';
import { attemptOf, type Place } from './log-place.ts';
import { entriesBehind, type Entry } from './log-view.ts';

/** A run's log as text to be saved or read in a terminal: one line an event. */

export type LogFormat = 'txt' | 'ndjson';

/** The lines of a chunk behind a place, `most` of them, with a mark where an attempt begins. */
export function logText(
  chunk: LogChunk,
  behind: Place,
  { format, most }: { readonly format: LogFormat; readonly most: number },
): string {
  const attempt = attemptOf(chunk);
  const lines = upTo(entriesBehind(chunk, behind), most).map((entry) => {
    if (format === 'txt') {
      return entry.kind === 'line' ? textLine(entry.line) : `(${entry.count} lines left out)\n`;
    }
    const event = entry.kind === 'line' ? jsonLine(entry.line) : { dropped: entry.count };
    return `${visibleJson(JSON.stringify({ attempt, ...event }))}\n`;
  });
  const begins = format === 'txt' && attemptOf(behind) !== attempt;
  return (begins ? [`(attempt ${attempt})\n`, ...lines] : lines).join('');
}

/** A mark counts as no line. */
function upTo(entries: readonly Entry[], most: number): readonly Entry[] {
  const marks = entries.filter(({ kind }) => kind === 'dropped').length;
  return entries.slice(0, most + marks);
}

/** Line ends are spelt out, and so is all else that a terminal would obey. */
function textLine({ at, level, text, fields }: LogLine): string {
  const more = fields === null ? '' : ` ${oneLine(fields)}`;
  return `${isoInstant(at)} ${level.padEnd(5)} ${oneLine(text)}${more}\n`;
}

const oneLine = (text: string): string => visible(text).replaceAll('\n', '\\n');

function jsonLine({ at, level, text, fields }: LogLine): Record<string, unknown> {
  return { at: isoInstant(at), level, text, ...(fields !== null && { fields: parsed(fields) }) };
}

/** What was cut short is no JSON any more. */
function parsed(fields: string): unknown {
  try {
    return JSON.parse(fields);
  } catch {
    return fields;
  }
}
