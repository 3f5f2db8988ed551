import { previousBefore, type Schedule } from '../../../server/core/schedule.ts';
import type { Instant } from '../../../server/core/time.ts';
import { noFigure, rates, type Case } from '../measure.ts';
import type { Bar, Cell, Table } from '../section.ts';
import { EXPRESSIONS, FROM, TO, UTC, ZONES, type Expression } from './expressions.ts';
import { OTHERS, punctual, read, whyNot, type Search } from './libraries.ts';

/** How an occurrence is asked for: each from the one before it, or from anywhere. */
interface Way {
  readonly title: string;
  next(search: Search): Case;
  previous(schedule: Schedule): Case;
}

const WAYS: readonly Way[] = [
  {
    title: 'Occurrences a second, each from the one before it',
    next: nextStepped,
    previous: previousStepped,
  },
  {
    title: 'Occurrences a second, each from an instant drawn from twenty years',
    next: nextFromAnywhere,
    previous: previousFromAnywhere,
  },
];

interface Line {
  readonly expression: Expression;
  readonly timeZone: string;
}

const lines: readonly Line[] = EXPRESSIONS.flatMap((expression) =>
  ZONES.map((timeZone) => ({ expression, timeZone })),
);

/** How fast the next and the previous occurrence are found, with the bars for the next. */
export function searching(say: (doing: string) => void): { tables: Table[]; bars: Bar[] } {
  say('how other libraries take clock changes');
  const reasons = lines.map(({ expression: { text }, timeZone }) =>
    OTHERS.map((library) => whyNot(library, text, timeZone)),
  );
  const rows = WAYS.map((way) => {
    say(way.title);
    return measureWay(way, reasons);
  });
  return {
    tables: WAYS.map(({ title }, i) => ({ title, columns: COLUMNS, rows: rows[i] ?? [] })),
    bars: barsOf(rows),
  };
}

const COLUMNS = [
  'schedule',
  'time zone',
  'next',
  ...OTHERS.flatMap(({ name }) => [name, `times ${name}`]),
  'previous',
];

function measureWay(way: Way, reasons: readonly (readonly (string | undefined)[])[]): Cell[][] {
  const measured = rates(
    lines.flatMap(({ expression: { text }, timeZone }, i) => [
      way.next(punctual.open(text, timeZone)),
      way.previous(read(text, timeZone)),
      ...OTHERS.map((library, j) => {
        const why = reasons[i]?.[j];
        return why === undefined ? way.next(library.open(text, timeZone)) : noFigure(why);
      }),
    ]),
  );
  return lines.map(({ expression, timeZone }, i) => {
    const from = i * (2 + OTHERS.length);
    const [next = NaN, previous = NaN, ...others] = measured.slice(from, from + 2 + OTHERS.length);
    const beside = others.flatMap((other) => [other, ratio(next, other)]);
    return [expression.label ?? expression.text, timeZone, next, ...beside, previous];
  });
}

const ratio = (own: Cell, other: Cell): Cell =>
  typeof own === 'number' && typeof other === 'number' ? own / other : '';

function nextStepped(search: Search): Case {
  let at = FROM;
  search.from(at);
  return (times) => {
    for (let i = 0; i < times; i += 1) {
      const found = search.next();
      if (found === undefined || found > TO) search.from((at = FROM));
      else at = later(at, found);
    }
  };
}

function nextFromAnywhere(search: Search): Case {
  let turn = 0;
  return (times) => {
    for (let i = 0; i < times; i += 1) {
      const at = anywhere(turn++);
      search.from(at);
      later(at, search.next() ?? Infinity);
    }
  };
}

/** Also what keeps the engine from leaving out a search whose result nobody needs. */
function later(at: Instant, found: Instant): Instant {
  if (found > at) return found;
  throw new Error('– goes back');
}

function previousStepped(schedule: Schedule): Case {
  let at = TO;
  return (times) => {
    for (let i = 0; i < times; i += 1) {
      const found = previousBefore(schedule, at);
      at = found === undefined || found < FROM ? TO : found;
    }
  };
}

function previousFromAnywhere(schedule: Schedule): Case {
  let turn = 0;
  return (times) => {
    for (let i = 0; i < times; i += 1) {
      const at = anywhere(turn++);
      later(previousBefore(schedule, at) ?? -Infinity, at);
    }
  };
}

// Steps by the golden ratio go everywhere, evenly, and the same way each time.
const ANYWHERE = Array.from({ length: 4096 }, (_, i) =>
  Math.floor(FROM + ((i * 0.618033988749895) % 1) * (TO - FROM)),
);
const anywhere = (turn: number): Instant => ANYWHERE[turn % ANYWHERE.length] ?? FROM;

function barsOf(ways: readonly (readonly (readonly Cell[])[])[]): Bar[] {
  const slowest = (of: (line: Line) => boolean): number => {
    const rows = ways.flatMap((way) => way.filter((_, i) => of(lines[i]!)));
    return Math.min(...rows.map(([, , next]) => Number(next)));
  };
  const isPlain = ({ expression, timeZone }: Line): boolean =>
    expression.plain === true && timeZone !== UTC;
  return [
    {
      what: 'next on plain schedules in DST zones, the slowest',
      measured: slowest(isPlain),
      unit: 'a second',
      bound: { atLeast: 100_000 },
    },
    {
      what: 'next on any schedule, the slowest',
      measured: slowest(() => true),
      unit: 'a second',
      bound: { atLeast: 20_000 },
    },
  ];
}
