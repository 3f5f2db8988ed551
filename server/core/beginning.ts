/**
 * The beginning of a text, at most so many characters and no half of one, in memory of its own: a
 * slice holds the whole text for as long as itself.
 */
export function beginning(text: string, most: number): string {
  const kept = text.slice(0, most).replace(/[\ud800-\udbff]$/, '');
  const copied: string = JSON.parse(JSON.stringify(kept));
  return copied;
}
