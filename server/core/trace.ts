import type { Deps } from './deps.ts';

/** W3C trace context, version 00: https://www.w3.org/TR/trace-context/ */

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The trace id of a traceparent; undefined when it is none, or the forbidden all-zero one. */
export function traceIdOf(traceparent: string | null | undefined): string | undefined {
  const id = FORM.exec(traceparent ?? '')?.[1];
  return id === undefined || /^0+$/.test(id) ? undefined : id;
}

/** A new span, in the parent's trace where there is a valid one, else in a trace of its own. */
export function newTraceparent(deps: Pick<Deps, 'random'>, parent?: string | null): string {
  const trace = traceIdOf(parent) ?? hex(deps, 32);
  return `00-${trace}-${hex(deps, 16)}-01`;
}

function hex({ random }: Pick<Deps, 'random'>, digits: number): string {
  let text = '';
  while (text.length < digits) {
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  }
  // All zero is not allowed, and would be no id at all.
  return /^0+$/.test(text) ? `${'0'.repeat(digits - 1)}1` : text;
}
