// @ts-check
/**
 * Workbooks of the made-up server: those of content/workbooks, and what is imported. Queries over a datatable are
 * answered from it, with `where Column == 'x'` and `in (...)`; all others with rows that look like their titles.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { missing, ok, refused } from './answers.mjs';
/** @typedef {import('./answers.mjs').Answer} Answer */
/** @typedef {{ name: string, description: string, shipped: boolean, document: any }} Entry */
/** @typedef {{ columns: { name: string, type: string }[], rows: unknown[][], render?: { visualization: string } }} Table */

const kFolder = new URL('../../../content/workbooks/', import.meta.url);

/** @type {Map<string, Entry>} */
const shipped = new Map();
for (const file of readdirSync(kFolder)) {
  const document = JSON.parse(readFileSync(new URL(file, kFolder), 'utf8'));
  const { name, description } = document['x-picket'];
  shipped.set(name, { name, description, shipped: true, document });
}
/** @type {Map<string, Entry>} */
const own = new Map();

/** @param {any[]} items @param {string} prefix @returns {{ path: string, title: string, query: string, kind: number, content: any }[]} */
function queriesOf(items, prefix = '') {
  return items.flatMap((item, index) => {
    const path = prefix + index;
    const content = item.content ?? {};
    if (item.type === 3)
      return [{ path, title: content.title ?? '', query: content.query ?? '', kind: content.queryType ?? 0, content }];
    if (item.type === 12) return queriesOf(content.items ?? [], `${path}.`);
    if (item.type !== 9) return [];
    return (content.parameters ?? [])
      .filter((/** @type {any} */ one) => one.query)
      .map((/** @type {any} */ one) => ({
        path: `${path}:${one.name}`,
        title: one.name,
        query: one.query,
        kind: one.queryType ?? 0,
        content: one,
      }));
  });
}

/** @param {any[]} items @param {string} prefix @returns {{ path: string, construct: string, message: string }[]} */
function notesOf(items, prefix = '') {
  return items.flatMap((item, index) => {
    const path = prefix + index;
    if (item.type === 12) return notesOf(item.content?.items ?? [], `${path}.`);
    if (item.type === 10) return [{ path, construct: 'metrics', message: 'Picket does not show this kind of item.' }];
    return [];
  });
}

/** @param {string} text @param {Record<string, any>} values */
function filled(text, values) {
  return text.replace(/('?)\{(\w+)(?::\w+)?\}/g, (whole, before, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (!value.values) return `${before}> ago(1d)`;
    const quote = before === "'" ? '' : "'";
    return before + value.values.map((/** @type {string} */ one) => quote + one.replace(/'/g, "\\'") + quote).join(',');
  });
}

/** @param {string} query @returns {Table | undefined} */
function fromDatatable(query) {
  const found = /datatable\s*\(([^)]*)\)\s*\[([\s\S]*?)\n?\]/.exec(query);
  if (!found) return undefined;
  const columns = (found[1] ?? '').split(',').map((one) => {
    const [name = '', type = 'string'] = one.split(':').map((part) => part.trim());
    return { name, type };
  });
  const cells = [...(found[2] ?? '').matchAll(/datetime\(([^)]*)\)|'((?:[^'\\]|\\.)*)'|(-?[\d.]+)/g)].map(
    ([, time, text, number]) =>
      time !== undefined ? new Date(time).toISOString() : text !== undefined ? text.replace(/\\'/g, "'") : Number(number),
  );
  let rows = Array.from({ length: cells.length / columns.length }, (_, at) =>
    cells.slice(at * columns.length, (at + 1) * columns.length),
  );
  for (const [, name, value = ''] of query.matchAll(/where (\w+) == '((?:[^'\\]|\\.)*)'/g)) {
    const at = columns.findIndex((column) => column.name === name);
    rows = rows.filter((row) => row[at] === value.replace(/\\'/g, "'"));
  }
  for (const [, name, list = ''] of query.matchAll(/where (\w+) in \(([^)]*)\)/g)) {
    const wanted = [...list.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, one]) => one);
    const at = columns.findIndex((column) => column.name === name);
    rows = rows.filter((row) => wanted.includes(String(row[at])));
  }
  const render = /\| render (\w+)/.exec(query);
  return { columns, rows, ...(render ? { render: { visualization: render[1] ?? '' } } : {}) };
}

const kHour = 3_600_000;
const kDevices = ['press-01', 'press-02', 'gateway-berlin', 'camera-7', 'meter-0042'];

/** @param {string[]} names @param {unknown[][]} rows @returns {Table} */
function table(names, rows) {
  const columns = names.map((name, index) => {
    const cell = rows.find((row) => row[index] !== null)?.[index];
    const type = typeof cell === 'number' ? 'long' : /^\d{4}-\d\d-\d\dT/.test(String(cell)) ? 'datetime' : 'string';
    return { name, type };
  });
  return { columns, rows };
}

const ago = (/** @type {number} */ hours) => new Date(Date.now() - hours * kHour).toISOString();

/** @param {{ title: string, path: string, content: any }} item @returns {Table} */
function madeUp({ title, path, content }) {
  if (path.includes(':'))
    return table(
      ['value', 'label'],
      kDevices.map((name) => [name, name]),
    );
  const tile = content.tileSettings?.titleContent?.columnMatch;
  if (tile) {
    const value = content.tileSettings.leftContent.columnMatch;
    return table(
      [tile, value],
      [
        ['High', 4],
        ['Medium', 17],
        ['Low', 31],
      ].map(([name, count]) => [title === 'Now' ? `${name} numbers` : name, count]),
    );
  }
  const chart = content.visualization;
  if (chart === 'timechart' || chart === 'areachart' || chart === 'unstackedbar' || chart === 'scatterchart') {
    const rows = Array.from({ length: 24 }, (_, hour) =>
      ['ProcessCreate', 'ConnectionCreate', 'Login'].map((name, at) => [ago(24 - hour), name, 40 + ((hour * (at + 3) * 7) % 60)]),
    ).flat();
    return table(['TimeGenerated', 'RawEventName', 'Events'], rows);
  }
  if (chart === 'piechart' || chart === 'barchart')
    return table(
      ['Name', 'Count'],
      kDevices.map((name, at) => [name, 30 - at * 5]),
    );
  const columns = (content.gridSettings?.formatters ?? []).map((/** @type {any} */ one) => one.columnMatch);
  const names = [
    'DeviceId',
    'Severity',
    ...columns.filter((/** @type {string} */ name) => name !== 'DeviceId' && name !== 'Severity'),
  ];
  const severities = ['High', 'Medium', 'Low', 'Informational'];
  const cell = (/** @type {string} */ name, /** @type {number} */ at) =>
    /last|first|since|time|seen/i.test(name)
      ? ago(at + 1)
      : /name|description|reason|example|software|update|suspicion|id$|link/i.test(name)
        ? `${name} ${at + 1}`
        : (at * 37 + name.length * 5) % 90;
  return table(
    names,
    kDevices.map((device, at) => [device, severities[at % 4], ...names.slice(2).map((name) => cell(name, at))]),
  );
}

/** @param {any} file @param {string} name @returns {Entry[]} */
function documentsOf(file, name) {
  if (file.items) return [{ name: name || 'Imported workbook', description: '', shipped: false, document: file }];
  return (file.resources ?? []).flatMap((/** @type {any} */ resource) => {
    const data = resource.properties?.serializedData;
    return data
      ? [
          {
            name: resource.properties.displayName,
            description: resource.properties.description ?? '',
            shipped: false,
            document: JSON.parse(data),
          },
        ]
      : [];
  });
}

/** @param {Entry} entry */
const summary = ({ name, description, shipped: mine }) => ({
  name,
  description,
  category: mine ? 'Picket' : '',
  shipped: mine,
  ...(mine ? {} : { user: 'admin', changed: new Date().toISOString() }),
});

/** @param {string} method @param {string[]} segments @param {URLSearchParams} query @param {any} body @returns {Answer | undefined} */
export function askWorkbooks(method, segments, query, body) {
  if (segments[0] !== 'workbooks') return undefined;
  const [, wanted, action] = segments;
  if (wanted === undefined && method === 'GET') {
    const all = new Map([...shipped, ...own]);
    return ok({ items: [...all.values()].map(summary).sort((a, b) => a.name.localeCompare(b.name)) });
  }
  if (wanted === undefined && method === 'POST') {
    const found = documentsOf(body, query.get('name') ?? '');
    if (found.length === 0) return refused('file', 'The file holds no workbook.');
    for (const entry of found) own.set(entry.name, entry);
    return ok({
      imported: found.map(({ name: made, document }) => ({
        name: made,
        queries: queriesOf(document.items).length,
        notes: notesOf(document.items),
        problems: [],
      })),
    });
  }
  const name = wanted ?? '';
  const entry = own.get(name) ?? shipped.get(name);
  if (!entry) return missing('workbook');
  if (action === 'run') {
    const item = queriesOf(entry.document.items).find(({ path }) => path === body.path);
    if (!item) return missing('path');
    const text = filled(item.query, body.values ?? {});
    const result = fromDatatable(text) ?? madeUp(item);
    return ok({ query: text, ...result, stats: { elapsed_ms: 3.2, rows: result.rows.length, truncated: false } });
  }
  if (method === 'GET') return ok({ ...summary(entry), document: entry.document, notes: notesOf(entry.document.items) });
  if (method === 'DELETE') return own.delete(name) ? ok() : missing('workbook');
  return undefined;
}
