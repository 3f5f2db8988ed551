interface Said {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/** Each word of the text stands in the job's name, its description or one of its tags. */
export function saysAll({ name, description, tags }: Said, text: string): boolean {
  const said = [name, description, ...tags].join('\n').toLowerCase();
  return text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}
