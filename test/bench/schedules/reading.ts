import { noFigure, rates, type Case } from '../measure.ts';
import type { Table } from '../section.ts';
import { OTHERS, punctual, type Library } from './libraries.ts';

const ZONE = 'Europe/London';
const LIBRARIES = [punctual, ...OTHERS];

/** What is read, in which turn, for the job of which name. */
interface Texts {
  readonly what: string;
  readonly text: (turn: number) => string;
  readonly name: (turn: number) => string;
}

const TEXTS: readonly Texts[] = [
  { what: 'a new text, each field known', text: newText, name: () => 'job' },
  { what: 'a new text, each field new', text: newFields, name: () => 'job' },
  { what: '"H H * * *" of a new job', text: () => 'H H * * *', name: (turn) => `job-${turn}` },
  { what: 'a text that was read before', text: () => '30 9 * * 1-5', name: () => 'job' },
];

/**
 * How fast the text of a schedule is read. By the time of the rounds as many are kept as may be, so
 * each new one takes the place of an old one.
 */
export function reading(): Table {
  const cases = TEXTS.flatMap((texts) => LIBRARIES.map((library) => parses(library, texts)));
  const measured = rates(cases);
  return {
    title: 'Texts read a second',
    columns: ['', ...LIBRARIES.map(({ name }) => name)],
    rows: TEXTS.map(({ what }, i) => [
      what,
      ...measured.slice(i * LIBRARIES.length, (i + 1) * LIBRARIES.length),
    ]),
  };
}

function parses(library: Library, { text, name }: Texts): Case {
  try {
    library.parse(text(0), ZONE, name(0));
  } catch {
    return noFigure('– refused');
  }
  let turn = 0;
  return (times) => {
    for (let i = 0; i < times; i += 1) {
      library.parse(text(turn), ZONE, name(turn));
      turn += 1;
    }
  };
}

/** Comes again after more texts than are kept. */
function newText(turn: number): string {
  const [minute, hour] = [turn % 60, Math.floor(turn / 60) % 24];
  const [date, month] = [Math.floor(turn / 1440) % 28, Math.floor(turn / 40_320) % 12];
  return `${minute} ${hour} ${date + 1} ${month + 1} *`;
}

/** Each field comes again after more fields than are kept. */
function newFields(turn: number): string {
  return `${range(turn, 0, 59)} ${range(turn, 0, 23)} ${range(turn, 1, 28)} * *`;
}

/** Ranges with steps: from the lower half to the upper one. */
function range(turn: number, min: number, max: number): string {
  const half = Math.floor((max - min + 1) / 2);
  const from = min + (turn % half);
  const to = min + half + (Math.floor(turn / half) % half);
  return `${from}-${to}/${1 + (Math.floor(turn / half ** 2) % max)}`;
}
