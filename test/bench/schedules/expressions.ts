/** A schedule that is measured. */
export interface Expression {
  readonly text: string;
  /** What stands for a text that is too long for a table. */
  readonly label?: string;
  /** Of the kind that most jobs have. */
  readonly plain?: boolean;
}

const LISTS = '0,7,11,13,22,37,41,59 1,3,8-12,21 1-10,15,20-28 1,3,5-9,12 *';
/** As many rules as a schedule may have, each of them of the kind that takes longest to search. */
const MOST_RULES = Array.from({ length: 20 }, (_, minute) => `${minute} 0 29 2 */7`).join('; ');

export const EXPRESSIONS: readonly Expression[] = [
  { text: '* * * * *', plain: true },
  { text: '*/15 * * * *', plain: true },
  { text: '0 * * * *', plain: true },
  { text: '30 2 * * *', plain: true },
  { text: '0 3 * * *', plain: true },
  { text: '30 9 * * 1-5', plain: true },
  { text: '0 0 L * *' },
  { text: '0 0 29 2 *' },
  { text: '0 0 13 * 5' },
  { text: '0 0 * * 1#2' },
  { text: '0 0 29 2 */7' },
  { text: LISTS, label: 'lists of 8, 8, 20 and 8' },
  { text: '*/10 * * * * *' },
  { text: '15 30 4 * * *' },
  { text: '0 9 * * 1-5; 0 12 * * 6' },
  { text: MOST_RULES, label: '20 rules, "0 0 29 2 */7"' },
  { text: 'every 15m' },
];

export const UTC = 'UTC';
export const ZONES = [
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  UTC,
] as const;

/** The twenty years that are searched. */
export const FROM = Date.UTC(2026, 0);
export const TO = Date.UTC(2046, 0);
