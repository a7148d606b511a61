/** Rows with the workbook's formatters; choosing one gives its cells to the parameters it exports. */
import { Button, makeStyles, mergeClasses, SearchBox, tokens } from '@fluentui/react-components';
import { ArrowDown12Regular, ArrowUp12Regular } from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { QueryResult } from '@/api/types';
import { cellText, compareCells, isNumeric } from '@/format/table';
import { formatterOf, shareOf } from '@/format/workbook/cells';
import type { Chosen } from '@/format/workbook/choices';
import type { ExportRule, QueryItem } from '@/format/workbook/model';
import { RowDetails } from '@/parts/row-details';
import { Cell } from './cell';
import { useWorkbookState } from './context';

const kShownAtFirst = 50;

const useStyles = makeStyles({
  scroll: { overflow: 'auto', maxHeight: '460px', outlineOffset: '-2px' },
  table: { width: '100%', borderCollapse: 'collapse', fontSize: tokens.fontSizeBase200 },
  head: {
    position: 'sticky',
    top: 0,
    zIndex: 1,
    textAlign: 'left',
    padding: '0 10px',
    height: '30px',
    whiteSpace: 'nowrap',
    background: tokens.colorNeutralBackground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  sort: {
    border: 'none',
    background: 'none',
    font: 'inherit',
    fontWeight: tokens.fontWeightSemibold,
    color: 'inherit',
    cursor: 'pointer',
    padding: '2px',
  },
  cell: { padding: '0 10px', height: '30px', maxWidth: '360px', borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  numeric: { textAlign: 'right', fontVariantNumeric: 'tabular-nums' },
  open: { cursor: 'pointer', ':hover': { background: tokens.colorNeutralBackground1Hover } },
  chosen: { background: tokens.colorNeutralBackground1Selected },
  bar: { padding: '0 10px 8px', display: 'flex', gap: '8px' },
  details: { borderTop: `1px solid ${tokens.colorNeutralStroke2}`, maxHeight: '320px', overflow: 'auto' },
});

/** What a row gives to a parameter: a cell, or all of it as JSON. */
export function exportedValue(rule: ExportRule, columns: QueryResult['columns'], row: readonly unknown[]): string {
  if (rule.field === '') return JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
  const at = columns.findIndex(({ name }) => name === rule.field);
  return at < 0 ? (rule.fallback ?? '') : cellText(row[at]);
}

/** What chosen rows give: one value, or a list without repeats. */
export function exportedChoice(item: QueryItem, rule: ExportRule, columns: QueryResult['columns'], rows: Rows): Chosen {
  const values = rows.map((row) => exportedValue(rule, columns, row)).filter((value) => value !== '');
  return item.exportsSeveral ? { values: [...new Set(values)], list: true } : { values };
}

type Rows = readonly (readonly unknown[])[];
const keyOf = (row: readonly unknown[]) => JSON.stringify(row);

interface GridProps {
  item: QueryItem;
  data: Pick<QueryResult, 'columns' | 'rows'>;
  label: string;
}

export function WorkbookGrid({ item, data, label }: GridProps) {
  const styles = useStyles();
  const { choose } = useWorkbookState();
  const [search, setSearch] = useState('');
  const [sort, setSort] = useState<{ column: string; descending: boolean } | undefined>(item.sortBy[0]);
  const [shown, setShown] = useState(kShownAtFirst);
  const [chosen, setChosen] = useState<Rows>([]);
  const [opened, setOpened] = useState<readonly unknown[]>();
  const columns = useMemo(
    () =>
      data.columns
        .map((column, index) => {
          const formatter = formatterOf(item.formatters, column.name);
          const share = formatter && [3, 4, 8].includes(formatter.kind) ? shareOf(data, index, formatter) : undefined;
          return { column, index, formatter, share };
        })
        .filter(({ formatter }) => formatter?.kind !== 5),
    [data, item],
  );
  const rows = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    const found = wanted
      ? data.rows.filter((row) => row.some((cell) => cellText(cell).toLowerCase().includes(wanted)))
      : data.rows;
    const at = sort ? data.columns.findIndex(({ name }) => name === sort.column) : -1;
    if (at < 0) return found.slice(0, item.rowLimit);
    const type = data.columns[at]!.type;
    const sorted = [...found].sort((a, b) => compareCells(type, a[at], b[at]) * (sort!.descending ? -1 : 1));
    return sorted.slice(0, item.rowLimit);
  }, [data, item, search, sort]);
  const exporting = item.exports.length > 0;
  const chosenKeys = new Set(chosen.map(keyOf));
  const pick = (row: readonly unknown[]) => {
    const key = keyOf(row);
    const others = item.exportsSeveral ? chosen.filter((one) => keyOf(one) !== key) : [];
    const now = item.exportsSeveral && chosenKeys.has(key) ? others : [...others, row];
    setChosen(now);
    for (const rule of item.exports) choose(rule.parameter, exportedChoice(item, rule, data.columns, now), true);
  };
  return (
    <>
      {item.filter && (
        <div className={styles.bar}>
          <SearchBox
            size="small"
            aria-label={`Search in ${label}`}
            placeholder="Search"
            value={search}
            onChange={(_, { value }) => setSearch(value)}
          />
        </div>
      )}
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={label}>
        <table className={styles.table} aria-label={label}>
          <thead>
            <tr>
              {columns.map(({ column }) => {
                const direction = sort?.column === column.name ? (sort.descending ? 'descending' : 'ascending') : undefined;
                return (
                  <th
                    key={column.name}
                    scope="col"
                    aria-sort={direction}
                    className={mergeClasses(styles.head, isNumeric(column) && styles.numeric)}
                  >
                    <button
                      type="button"
                      className={styles.sort}
                      onClick={() => setSort({ column: column.name, descending: direction === 'ascending' })}
                    >
                      {item.labels[column.name] || column.name}
                      {direction === 'ascending' && <ArrowUp12Regular />}
                      {direction === 'descending' && <ArrowDown12Regular />}
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, at) => (
              <tr
                key={at}
                aria-selected={exporting ? chosenKeys.has(keyOf(row)) : undefined}
                className={mergeClasses(exporting && styles.open, chosenKeys.has(keyOf(row)) && styles.chosen)}
                {...(exporting
                  ? {
                      tabIndex: 0,
                      onClick: () => pick(row),
                      onKeyDown: (event) => event.key === 'Enter' && event.target === event.currentTarget && pick(row),
                    }
                  : {})}
              >
                {columns.map(({ column, index, formatter, share }) => (
                  <td key={column.name} className={mergeClasses(styles.cell, isNumeric(column) && styles.numeric)}>
                    <Cell
                      column={column}
                      columns={data.columns}
                      row={row}
                      index={index}
                      formatter={formatter}
                      share={share?.(row[index])}
                      onDetails={() => setOpened(row)}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length > shown && (
          <Button appearance="subtle" onClick={() => setShown(shown + 200)}>
            Show more ({shown} of {rows.length})
          </Button>
        )}
      </div>
      {opened && (
        <div className={styles.details}>
          <RowDetails columns={data.columns} row={opened} onClose={() => setOpened(undefined)} />
        </div>
      )}
    </>
  );
}
