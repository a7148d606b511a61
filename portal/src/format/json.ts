/** JSON that people write and read: bodies of dialogs, sections of a twin. */
import type { JsonObject } from '@/api/types';

export type Parsed<T> = { value: T; problem?: undefined } | { value?: undefined; problem: string };

/** Any JSON; an empty text is no value at all. `problem` is a sentence for the person who wrote the text. */
export function parseJson(text: string): Parsed<unknown> {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `This is not valid JSON: ${(error as Error).message}.`.replace(/\.\.$/, '.') };
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A patch of a twin: an object with `tags` or `properties.desired`, as the hub takes it. */
export function parseTwinPatch(text: string): Parsed<JsonObject> {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) return { problem };
  if (!isObject(value)) return { problem: 'A patch is a JSON object.' };
  const misplaced = ['desired', 'reported'].find((name) => name in value);
  if (misplaced === 'desired') return { problem: 'Give "desired" inside "properties".' };
  if (misplaced === 'reported' || (isObject(value.properties) && 'reported' in value.properties))
    return { problem: 'Reported properties are changed by the device only.' };
  if (value.tags === undefined && value.properties === undefined) return { problem: 'A patch has "tags", "properties" or both.' };
  for (const [name, section] of [
    ['tags', value.tags],
    ['properties', value.properties],
    ['properties.desired', isObject(value.properties) ? value.properties.desired : undefined],
  ] as const) {
    if (section !== undefined && !isObject(section)) return { problem: `"${name}" must be a JSON object.` };
  }
  return { value };
}

/** A section of a twin without what the hub keeps about it: `$metadata` and `$version`. */
export function withoutMetadata(section: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(section).filter(([name]) => !name.startsWith('$')));
}
