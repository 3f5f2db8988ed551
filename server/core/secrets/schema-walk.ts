import { isPart, targetOf, type Part } from '../json-schema.ts';

/*
 * How a JSON Schema leads from one place of a value to the next. Of several branches all are
 * followed, since any of them may be the one that holds.
 */

/** A part of a schema, and the whole that its references lead into. */
export interface Place {
  readonly part: Part;
  readonly root: Part;
}

/** Whether a part says that what stands at its place is secret. */
export const isMarked = ({ part }: Place): boolean => marksItself(part);

const marksItself = (part: Part): boolean =>
  part['secret'] === true || part['writeOnly'] === true || part['format'] === 'password';

/** Each part with all that holds at its place, itself included. A part has one root only. */
const closures = new WeakMap<Part, readonly Place[]>();

/** What holds where these parts do: they themselves, what they refer to, and all their branches. */
export function closureOf(places: readonly Place[]): readonly Place[] {
  if (places.length === 1 && places[0] !== undefined) return closureOfOne(places[0]);
  return [...new Map(places.flatMap(closureOfOne).map((one) => [one.part, one])).values()];
}

function closureOfOne(place: Place): readonly Place[] {
  const known = closures.get(place.part);
  if (known !== undefined) return known;
  const { root } = place;
  const found = new Map<Part, Place>();
  // Each part of the schema comes in once, so this ends.
  const open: Part[] = [place.part];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (found.has(part)) continue;
    found.set(part, { part, root });
    const targets = refsOf(part).map((ref) => targetOf(ref, root));
    open.push(...[...alongside(part), ...targets].filter(isPart));
  }
  const all = [...found.values()];
  closures.set(place.part, all);
  return all;
}

const refsOf = (part: Part): readonly unknown[] =>
  [part['$ref'], part['$dynamicRef']].filter((ref) => ref !== undefined);

const alongside = (part: Part): readonly unknown[] => [
  ...['allOf', 'anyOf', 'oneOf'].flatMap((key) => listIn(part, key)),
  ...['if', 'then', 'else'].map((key) => part[key]),
  ...valuesIn(part, 'dependentSchemas'),
];

/** What may hold at the property of this name. */
export const underKey = (places: readonly Place[], key: string): readonly Place[] =>
  led(places, (part) => {
    const own = partIn(part, 'properties');
    const named = Object.hasOwn(own, key) ? [own[key]] : [];
    const patterns = Object.entries(partIn(part, 'patternProperties'));
    const fitting = patterns.filter(([pattern]) => mayFit(pattern, key)).map(([, one]) => one);
    const found = [...named, ...fitting];
    if (found.length > 0) return found;
    return [part['additionalProperties'], part['unevaluatedProperties']];
  });

/** What may hold at this item of a list. */
export const underIndex = (places: readonly Place[], index: number): readonly Place[] =>
  led(places, (part) => {
    const { items, contains, additionalItems, unevaluatedItems } = part;
    const first = [...listIn(part, 'prefixItems'), ...(Array.isArray(items) ? items : [])];
    const rest = [Array.isArray(items) ? additionalItems : items, unevaluatedItems];
    return [...(index < first.length ? [first[index]] : rest), contains];
  });

function led(places: readonly Place[], next: (part: Part) => readonly unknown[]): readonly Place[] {
  const found = places.flatMap(({ part, root }) =>
    next(part)
      .filter(isPart)
      .map((one) => ({ part: one, root })),
  );
  return found.length === 0 ? found : closureOf(found);
}

/** Every part that a value may lead to, from this place on. */
export function reachable(from: Place): readonly Place[] {
  const found = new Map<Part, Place>();
  const open: Place[] = [from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (found.has(place.part)) continue;
    found.set(place.part, place);
    const { part, root } = place;
    open.push(...closureOfOne(place));
    open.push(
      ...below(part)
        .filter(isPart)
        .map((one) => ({ part: one, root })),
    );
  }
  return [...found.values()];
}

const below = (part: Part): readonly unknown[] => [
  ...valuesIn(part, 'properties'),
  ...valuesIn(part, 'patternProperties'),
  ...['additionalProperties', 'unevaluatedProperties', 'additionalItems'].map((key) => part[key]),
  ...['unevaluatedItems', 'contains', 'items'].map((key) => part[key]),
  ...listIn(part, 'prefixItems'),
  ...listIn(part, 'items'),
];

/** The references that lead nowhere within the schema. */
export const lostRefs = (places: readonly Place[]): readonly unknown[] =>
  places.flatMap(({ part, root }) =>
    refsOf(part).filter((ref) => targetOf(ref, root) === undefined),
  );

/** Whether there is a mark anywhere in it, followed or not. */
export function mentionsMark(root: Part): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (isPart(value) && marksItself(value)) return true;
    open.push(...Object.values(value));
  }
  return false;
}

/** A pattern that can't be read here may fit anything. */
function mayFit(pattern: string, key: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(key);
  } catch {
    return true;
  }
}

const partIn = (part: Part, key: string): Part => {
  const value = part[key];
  return isPart(value) ? value : {};
};

const valuesIn = (part: Part, key: string): readonly unknown[] => Object.values(partIn(part, key));

function listIn(part: Part, key: string): readonly unknown[] {
  const value = part[key];
  return Array.isArray(value) ? value : [];
}
