/**
 * A workbook's JSON as typed items. Nothing is trusted: what is of another kind than expected is left empty. What Picket
 * does not show is told by the server's notes, which name the same paths ("3.0" is the first item of the fourth, a group).
 */

type Json = Record<string, unknown>;

export interface Condition {
  parameter: string;
  equal: boolean;
  value: string;
}
export interface ExportRule {
  /** The column; empty: the whole row as JSON. */
  field: string;
  parameter: string;
  /** What stands there before a row is chosen; undefined: nothing, and what needs it waits. */
  fallback?: string;
}
export interface Option {
  value: string;
  label: string;
}
export interface Criterion {
  left: string;
  comparison: string;
  right: string;
  rightIsParameter: boolean;
  result: string;
  resultIsParameter: boolean;
}
export interface Parameter {
  path: string;
  name: string;
  label: string;
  description: string;
  kind: 'text' | 'choice' | 'time' | 'resource' | 'other';
  several: boolean;
  required: boolean;
  hidden: boolean;
  options: Option[];
  offersAll: boolean;
  allValue?: string;
  defaults: string[];
  durationMs?: number;
  durations: number[];
  allowCustom: boolean;
  /** Its options, or its text, come from this query, which the server runs. */
  query: string;
  timeParameter: string;
  criteria: Criterion[];
}
export interface Link {
  label: string;
  target: string;
  parameter: string;
  value: string;
  url: string;
}
export interface Formatter {
  column: string;
  kind: number;
  options: Json;
  unit?: number;
  number: Json;
}

interface ItemBase {
  path: string;
  name: string;
  title: string;
  /** Per cent of the width. */
  width: number;
  conditions: Condition[];
}
export interface TextItem extends ItemBase {
  kind: 'text';
  text: string;
}
export interface ParametersItem extends ItemBase {
  kind: 'parameters';
  parameters: Parameter[];
}
export interface QueryItem extends ItemBase {
  kind: 'query';
  query: string;
  /** False: of a kind that Picket does not answer. */
  answered: boolean;
  timeParameter: string;
  shape: string;
  size: number;
  exports: ExportRule[];
  /** Several rows are chosen, as a list that is empty at first. */
  exportsSeveral: boolean;
  formatters: Formatter[];
  labels: Record<string, string>;
  rowLimit: number;
  filter: boolean;
  exportable: boolean;
  noData: string;
  sortBy: { column: string; descending: boolean }[];
  tiles: Record<'title' | 'subtitle' | 'left' | 'right' | 'secondary', Formatter | undefined>;
  colors: Record<string, string>;
  map: Json;
}
export interface LinksItem extends ItemBase {
  kind: 'links';
  tabs: boolean;
  links: Link[];
}
export interface GroupItem extends ItemBase {
  kind: 'group';
  items: Item[];
}
export interface OtherItem extends ItemBase {
  kind: 'other';
}
export type Item = TextItem | ParametersItem | QueryItem | LinksItem | GroupItem | OtherItem;

const kDepthMax = 16;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
export const object = (value: unknown): Json => (isObject(value) ? value : {});
export const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const text = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
export const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

export function readWorkbook(document: unknown): Item[] {
  return readItems(object(document).items, '', 0);
}

function readItems(items: unknown, prefix: string, depth: number): Item[] {
  if (!Array.isArray(items) || depth > kDepthMax) return [];
  return items.flatMap((item: unknown, index) => (isObject(item) ? [readItem(item, `${prefix}${index}`, depth)] : []));
}

function readItem(item: Json, path: string, depth: number): Item {
  const content = object(item.content);
  const width = Number(text(item.customWidth));
  const base: ItemBase = {
    path,
    name: text(item.name),
    title: text(content.title),
    width: width > 0 && width <= 100 ? width : 100,
    conditions: [item.conditionalVisibility, ...list(item.conditionalVisibilities)].filter(isObject).map(readCondition),
  };
  switch (item.type) {
    case 1:
      return { ...base, kind: 'text', text: text(content.json) };
    case 3:
      return readQuery(base, content);
    case 9:
      return { ...base, kind: 'parameters', parameters: list(content.parameters).map((one) => readParameter(one, path)) };
    case 11:
      return { ...base, kind: 'links', tabs: content.style === 'tabs', links: list(content.links).map(readLink) };
    case 12:
      return { ...base, kind: 'group', items: readItems(content.items, `${path}.`, depth + 1) };
    default:
      return { ...base, kind: 'other' };
  }
}

function readCondition(from: Json): Condition {
  return { parameter: text(from.parameterName), equal: from.comparison !== 'isNotEqualTo', value: text(from.value) };
}

function readLink(from: Json): Link {
  return {
    label: text(from.linkLabel) || text(from.preText) || text(from.subTarget),
    target: text(from.linkTarget),
    parameter: text(from.cellValue),
    value: text(from.subTarget),
    url: text(from.cellValue),
  };
}

export function readFormatter(from: Json): Formatter {
  const format = object(from.numberFormat);
  return {
    column: text(from.columnMatch),
    kind: number(from.formatter) ?? 0,
    options: object(from.formatOptions),
    unit: number(format.unit),
    number: object(format.options),
  };
}

function readQuery(base: ItemBase, content: Json): QueryItem {
  const grid = object(content.gridSettings);
  const tiles = object(content.tileSettings);
  const tile = (name: string) => (isObject(tiles[name]) ? readFormatter(object(tiles[name])) : undefined);
  const exported = [...list(content.exportParameters), ...list(content.exportedParameters)].map((one) => ({
    field: text(one.fieldName),
    parameter: text(one.parameterName),
    fallback: 'defaultValue' in one ? text(one.defaultValue) : undefined,
  }));
  const single = text(content.exportParameterName);
  if (single) {
    const fallback = 'exportDefaultValue' in content ? text(content.exportDefaultValue) : undefined;
    exported.push({ field: text(content.exportFieldName), parameter: single, fallback });
  }
  return {
    ...base,
    kind: 'query',
    query: text(content.query),
    answered: [0, 1].includes(number(content.queryType) ?? 0),
    timeParameter: text(content.timeContextFromParameter),
    shape: text(content.visualization),
    size: number(content.size) ?? 0,
    exports: exported.filter(({ parameter }) => parameter !== ''),
    exportsSeveral: content.exportMultipleValues === true,
    formatters: list(grid.formatters).map(readFormatter),
    labels: Object.fromEntries(list(grid.labelSettings).map((one) => [text(one.columnId), text(one.label)])),
    rowLimit: Math.min(number(grid.rowLimit) ?? 250, 10_000),
    filter: grid.filter === true,
    exportable: content.showExportToExcel === true,
    noData: text(content.noDataMessage),
    sortBy: [...list(grid.sortBy), ...list(content.sortBy)].map((one) => ({
      column: text(one.itemKey),
      descending: one.sortOrder === 2,
    })),
    tiles: {
      title: tile('titleContent'),
      subtitle: tile('subtitleContent'),
      left: tile('leftContent'),
      right: tile('rightContent'),
      secondary: tile('secondaryContent'),
    },
    colors: Object.fromEntries(
      list(object(content.chartSettings).seriesLabelSettings).map((one) => [text(one.seriesName), text(one.color)]),
    ),
    map: object(content.mapSettings),
  };
}

const kKinds: Record<number, Parameter['kind']> = {
  1: 'text',
  2: 'choice',
  4: 'time',
  5: 'resource',
  6: 'resource',
  7: 'resource',
  8: 'resource',
  10: 'choice',
};

function readParameter(from: Json, path: string): Parameter {
  const settings = object(from.typeSettings);
  const name = text(from.name);
  const { options, selected } = readOptions(text(from.jsonData));
  const value = from.value ?? from.defaultValue;
  const defaults = Array.isArray(value) ? value.map(text) : isObject(value) || value === undefined ? selected : [text(value)];
  const extra = Array.isArray(settings.additionalResourceOptions) ? settings.additionalResourceOptions : [];
  return {
    path: `${path}:${name}`,
    name,
    label: text(from.label) || name,
    description: text(from.description),
    kind: kKinds[number(from.type) ?? -1] ?? 'other',
    several: from.multiSelect === true,
    required: from.isRequired === true,
    hidden: from.isHiddenWhenLocked === true,
    options,
    offersAll: extra.includes('value::all'),
    allValue: typeof settings.selectAllValue === 'string' ? settings.selectAllValue : undefined,
    defaults,
    durationMs: number(object(value).durationMs),
    durations: list(settings.selectableValues).flatMap((one) => number(one.durationMs) ?? []),
    allowCustom: settings.allowCustom === true,
    query: text(from.query),
    timeParameter: text(from.timeContextFromParameter),
    criteria: list(from.criteriaData).map((one) => readCriterion(object(one.criteriaContext))),
  };
}

function readCriterion(from: Json): Criterion {
  return {
    left: text(from.leftOperand),
    comparison: text(from.operator),
    right: text(from.rightVal),
    rightIsParameter: from.rightValType === 'param',
    result: text(from.resultVal),
    resultIsParameter: from.resultValType === 'param',
  };
}

function readOptions(json: string): { options: Option[]; selected: string[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return { options: [], selected: [] };
  }
  if (!Array.isArray(parsed)) return { options: [], selected: [] };
  const options: Option[] = [];
  const selected: string[] = [];
  for (const one of parsed.slice(0, 1_000)) {
    const value = isObject(one) ? text(one.value) : text(one);
    options.push({ value, label: isObject(one) && 'label' in one ? text(one.label) : value });
    if (isObject(one) && one.selected === true) selected.push(value);
  }
  return { options, selected };
}

/** All items, groups after what is in them. */
export function everyItem(items: readonly Item[]): Item[] {
  return items.flatMap((item) => (item.kind === 'group' ? [...everyItem(item.items), item] : [item]));
}

export function everyParameter(items: readonly Item[]): Parameter[] {
  return everyItem(items).flatMap((item) => (item.kind === 'parameters' ? item.parameters : []));
}
