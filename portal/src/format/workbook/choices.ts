/** What stands in the parameters of a workbook: at first, in texts, in conditions, and as it goes to the server. */
import type { Condition, Criterion, Item, Option, Parameter } from './model';
import { everyItem, everyParameter } from './model';

/** `list`: of rows chosen together, where none is a value too. */
export type Chosen =
  | { values: string[]; labels?: string[]; all?: boolean; list?: boolean }
  | { durationMs: number }
  | { startTime: string; endTime: string };
export type Choices = Readonly<Record<string, Chosen>>;

const kReference = /\{([A-Za-z_]\w*)(?::([^{}\n]{0,128}))?\}/g;

/** Names that a text refers to; braces of the query language may look alike. */
export function referencesOf(text: string): string[] {
  return [...new Set([...text.matchAll(kReference)].map(([, name]) => name!))];
}

export function isTime(chosen: Chosen | undefined): chosen is { durationMs: number } | { startTime: string; endTime: string } {
  return chosen !== undefined && !('values' in chosen);
}

export function valuesOf(chosen: Chosen | undefined): readonly string[] {
  return chosen !== undefined && 'values' in chosen ? chosen.values : [];
}

const kSpans: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
];

export function durationLabel(durationMs: number): string {
  for (const [size, unit] of kSpans) {
    if (durationMs < size || durationMs % size !== 0) continue;
    const count = durationMs / size;
    return count === 1 ? `Last ${unit}` : `Last ${count} ${unit}s`;
  }
  return `Last ${Math.round(durationMs / 1000)} seconds`;
}

export function timeLabel(chosen: { durationMs: number } | { startTime: string; endTime: string }): string {
  if ('durationMs' in chosen) return durationLabel(chosen.durationMs);
  return `${chosen.startTime.slice(0, 16).replace('T', ' ')} to ${chosen.endTime.slice(0, 16).replace('T', ' ')} UTC`;
}

/** What is chosen before anybody did, given the options there are by now; undefined: nothing yet. */
export function defaultOf(parameter: Parameter, options: readonly Option[]): Chosen | undefined {
  if (parameter.kind === 'time') return { durationMs: parameter.durationMs ?? parameter.durations[0] ?? 86_400_000 };
  const picked: Option[] = [];
  for (const value of parameter.defaults) {
    if (value === 'value::all') return allOf(parameter, options);
    if (value.startsWith('value::')) picked.push(...options.slice(0, 1));
    else picked.push(options.find((option) => option.value === value) ?? { value, label: value });
  }
  if (picked.length === 0 && parameter.required && parameter.kind !== 'text') picked.push(...options.slice(0, 1));
  const one = parameter.several ? picked : picked.slice(0, 1);
  if (one.length === 0) return undefined;
  return { values: one.map(({ value }) => value), labels: one.map(({ label }) => label) };
}

export function allOf(parameter: Parameter, options: readonly Option[]): Chosen {
  if (parameter.allValue !== undefined) return { values: [parameter.allValue], labels: ['All'], all: true };
  return { values: options.map(({ value }) => value), labels: options.map(({ label }) => label), all: true };
}

/** Of everything that waits for no query; tabs show their first page. `given` (of the address) comes before it. */
export function initialChoices(items: readonly Item[], given: Choices): Choices {
  const out: Record<string, Chosen> = {};
  for (const parameter of everyParameter(items)) {
    const waits = parameter.query !== '' && parameter.allValue === undefined;
    const chosen = waits ? undefined : defaultOf(parameter, parameter.options);
    if (chosen) out[parameter.name] = chosen;
  }
  for (const item of everyItem(items)) {
    for (const rule of item.kind === 'query' ? item.exports : []) {
      if (rule.parameter in out) continue;
      if (item.kind === 'query' && item.exportsSeveral) out[rule.parameter] = { values: [], list: true };
      else if (rule.fallback !== undefined) out[rule.parameter] = { values: [rule.fallback] };
    }
    if (item.kind !== 'links' || !item.tabs) continue;
    const first = item.links.find(({ target }) => target === 'parameter');
    if (first && !(first.parameter in out)) out[first.parameter] = { values: [first.value], labels: [first.label] };
  }
  return { ...out, ...given };
}

/** Choices out of an address, whoever wrote it. */
export function readChoices(json: string | null): Choices {
  if (!json) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
  return Object.fromEntries(Object.entries(parsed).flatMap(([name, value]) => (isChosen(value) ? [[name, value]] : [])));
}

function isChosen(value: unknown): value is Chosen {
  if (typeof value !== 'object' || value === null) return false;
  const texts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === 'string');
  if ('values' in value) return texts(value.values) && (!('labels' in value) || texts(value.labels));
  if ('durationMs' in value) return typeof value.durationMs === 'number' && value.durationMs > 0;
  return (
    'startTime' in value &&
    'endTime' in value &&
    [value.startTime, value.endTime].every((time) => typeof time === 'string' && !Number.isNaN(Date.parse(time)))
  );
}

/** The text that stands for a choice in conditions and criteria. */
export function plain(chosen: Chosen | undefined): string {
  if (chosen === undefined) return '';
  return isTime(chosen) ? timeLabel(chosen) : chosen.values.join(',');
}

function formatted(chosen: Chosen, format: string): string | undefined {
  if (isTime(chosen)) {
    if (!format || format === 'label') return timeLabel(chosen);
    const end = 'endTime' in chosen ? Date.parse(chosen.endTime) : Date.now();
    const start = 'startTime' in chosen ? Date.parse(chosen.startTime) : end - chosen.durationMs;
    if (format === 'start' || format === 'startISO') return new Date(start).toISOString();
    return format === 'end' || format === 'endISO' ? new Date(end).toISOString() : timeLabel(chosen);
  }
  if (format === 'label') return (chosen.labels ?? chosen.values).join(', ');
  if (format === 'name') return chosen.values.map((value) => value.slice(value.lastIndexOf('/') + 1)).join(', ');
  if (format.startsWith('$.')) return cellOf(chosen.values[0] ?? '', format.slice(2));
  return chosen.values.join(', ');
}

function cellOf(json: string, path: string): string {
  try {
    let at: unknown = JSON.parse(json);
    for (const name of path.split('.')) at = (at as Record<string, unknown> | null | undefined)?.[name];
    return typeof at === 'string' ? at : at === undefined ? '' : JSON.stringify(at);
  } catch {
    return '';
  }
}

/** A text for people with the values in it. `encode` makes each value safe for where the text goes. */
export function substitute(text: string, choices: Choices, encode: (value: string) => string = (value) => value): string {
  return text.replace(kReference, (whole, name: string, format: string | undefined) => {
    const chosen = choices[name];
    const value = chosen && formatted(chosen, format ?? '');
    return value === undefined ? whole : encode(value);
  });
}

export function isVisible(conditions: readonly Condition[], choices: Choices): boolean {
  return conditions.every(({ parameter, equal, value }) => (plain(choices[parameter]) === value) === equal);
}

function holds(criterion: Criterion, choices: Choices): boolean {
  const left = plain(choices[criterion.left]);
  const right = criterion.rightIsParameter ? plain(choices[criterion.right]) : substitute(criterion.right, choices);
  const numeric = left !== '' && right !== '' && !Number.isNaN(Number(left)) && !Number.isNaN(Number(right));
  const [a, b] = numeric ? [Number(left), Number(right)] : [left, right];
  switch (criterion.comparison.replace(/\s/g, '').toLowerCase()) {
    case 'default':
      return true;
    case 'isempty':
      return left === '';
    case 'isnotempty':
      return left !== '';
    case 'contains':
      return left.includes(right);
    case '!contains':
      return !left.includes(right);
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    default:
      return false;
  }
}

/** Text parameters that follow from others, in their order. The server does the same for queries. */
export function withCriteria(parameters: readonly Parameter[], choices: Choices): Choices {
  const out: Record<string, Chosen> = { ...choices };
  for (const { name, criteria } of parameters) {
    if (criteria.length === 0) continue;
    const found = criteria.find((criterion) => holds(criterion, out));
    const value = !found ? '' : found.resultIsParameter ? plain(out[found.result]) : substitute(found.result, out);
    out[name] = { values: [value] };
  }
  return out;
}

/** Names a query needs, those that its criteria refer to among them. */
export function neededBy(
  query: string,
  timeParameter: string,
  parameters: readonly Parameter[],
  known: ReadonlySet<string>,
): string[] {
  const out = new Set(referencesOf(query).filter((name) => known.has(name)));
  if (timeParameter && known.has(timeParameter)) out.add(timeParameter);
  for (const name of [...out]) {
    const parameter = parameters.find((one) => one.name === name);
    for (const one of parameter?.criteria ?? []) {
      for (const other of [one.left, ...(one.rightIsParameter ? [one.right] : []), ...referencesOf(one.result)]) {
        if (known.has(other)) out.add(other);
      }
    }
    for (const option of parameter?.options ?? []) {
      for (const other of referencesOf(option.value)) if (known.has(other)) out.add(other);
    }
  }
  return [...out].sort();
}

/** The first needed name that has no value yet and must have one. */
export function unsetOf(needed: readonly string[], parameters: readonly Parameter[], choices: Choices): string | undefined {
  return needed.find((name) => {
    const parameter = parameters.find((one) => one.name === name);
    if (parameter && parameter.criteria.length > 0) return false;
    const chosen = choices[name];
    if (chosen === undefined) return !parameter || parameter.required || parameter.query !== '';
    return !isTime(chosen) && chosen.values.length === 0 && !chosen.list && (!parameter || parameter.required);
  });
}

/** The values of `needed` as the server takes them. */
export function valuesFor(needed: readonly string[], choices: Choices): Record<string, unknown> {
  return Object.fromEntries(
    needed.flatMap((name) => {
      const chosen = choices[name];
      if (!chosen) return [];
      return [[name, isTime(chosen) ? chosen : { values: chosen.values, labels: chosen.labels ?? [] }]];
    }),
  );
}

/** Every name that may stand in braces: parameters, links, exports. */
export function knownNames(items: readonly Item[]): Set<string> {
  const out = new Set(everyParameter(items).map(({ name }) => name));
  for (const item of everyItem(items)) {
    if (item.kind === 'query') item.exports.forEach(({ parameter }) => out.add(parameter));
    if (item.kind === 'links') item.links.forEach(({ target, parameter }) => target === 'parameter' && out.add(parameter));
  }
  return out;
}

/** Options out of a query's rows: columns value, label and selected, or the first and second. */
export function optionsOf(result: { columns: readonly { name: string }[]; rows: readonly (readonly unknown[])[] }): Option[] {
  const at = (name: string, otherwise: number) => {
    const index = result.columns.findIndex((column) => column.name.toLowerCase() === name);
    return index >= 0 ? index : otherwise;
  };
  const value = at('value', 0);
  const label = at('label', result.columns.length > 1 && at('value', -1) < 0 ? 1 : value);
  const show = (cell: unknown) =>
    cell === null || cell === undefined ? '' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return result.rows.slice(0, 1_000).map((row) => ({ value: show(row[value]), label: show(row[label]) }));
}
