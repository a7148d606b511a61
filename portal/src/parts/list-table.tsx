/**
 * A list that the server pages and sorts: semantic table, sortable headers, rows that open. TanStack Table owns the
 * columns; the order of the rows is the server's.
 */
import { Button, makeStyles, mergeClasses, Spinner, tokens } from '@fluentui/react-components';
import { ArrowDown12Regular, ArrowUp12Regular } from '@fluentui/react-icons';
import { flexRender, getCoreRowModel, useReactTable, type ColumnDef } from '@tanstack/react-table';
import type { MouseEvent } from 'react';
import { useNavigate } from 'react-router-dom';

declare module '@tanstack/react-table' {
  // The names of the parameters are fixed by the library's declaration.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData, TValue> {
    /** The field that the API sorts by; a column without one cannot be sorted. */
    sort?: string;
    width?: string;
    numeric?: boolean;
    /** Left out where the table has less room than on a usual window. */
    wideOnly?: boolean;
    /** Left out where it has less room than on a large window. */
    widestOnly?: boolean;
  }
}

const useStyles = makeStyles({
  scroll: { overflowX: 'auto', containerType: 'inline-size' },
  table: { width: '100%', borderCollapse: 'collapse', tableLayout: 'fixed' },
  head: {
    textAlign: 'left',
    boxSizing: 'border-box',
    padding: '0 12px',
    height: '34px',
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    whiteSpace: 'nowrap',
  },
  sort: {
    display: 'inline-flex',
    alignItems: 'center',
    gap: '4px',
    border: 'none',
    background: 'none',
    font: 'inherit',
    color: 'inherit',
    cursor: 'pointer',
    padding: '4px',
    margin: '0 -4px',
    borderRadius: tokens.borderRadiusSmall,
    ':hover': { color: tokens.colorNeutralForeground1 },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  row: { ':hover': { background: tokens.colorNeutralBackground1Hover }, ':last-child td': { borderBottom: 'none' } },
  open: { cursor: 'pointer' },
  cell: {
    boxSizing: 'border-box',
    padding: '0 12px',
    height: '40px',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  numeric: { textAlign: 'right' },
  wideOnly: { '@container (max-width: 960px)': { display: 'none' } },
  widestOnly: { '@container (max-width: 1200px)': { display: 'none' } },
  more: { display: 'flex', justifyContent: 'center', padding: '12px' },
  old: { opacity: 0.6 },
});

const kShareMinPx = 140;
const kRestMinPx = 200;

/** Below this the columns that share what is left would be too narrow to read: then the table is scrolled. */
function minWidthOf<Row>(columns: readonly ColumnDef<Row>[]): string {
  const widths = columns
    .filter(({ meta }) => !meta?.wideOnly && !meta?.widestOnly)
    .map(({ meta }) => (meta?.width?.endsWith('px') ? Number.parseInt(meta.width) : meta?.width ? kShareMinPx : kRestMinPx));
  return `${widths.reduce((sum, one) => sum + one, 0)}px`;
}

interface ListTableProps<Row> {
  label: string;
  columns: ColumnDef<Row>[];
  rows: readonly Row[];
  rowId(row: Row): string;
  /** Where a click on a row leads. The row's first link does the same for the keyboard. */
  rowPath?(row: Row): string;
  sort?: string;
  onSort?(sort: string): void;
  /** The rows shown belong to the former filters. */
  stale?: boolean;
  more?: { load(): void; loading: boolean; label: string };
}

export function ListTable<Row>({ label, columns, rows, rowId, rowPath, sort, onSort, stale = false, more }: ListTableProps<Row>) {
  const styles = useStyles();
  const navigate = useNavigate();
  const table = useReactTable({
    data: rows as Row[],
    columns,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    manualSorting: true,
  });

  const openRow = (event: MouseEvent, row: Row) => {
    const onControl = (event.target as Element).closest('a, button, input') !== null;
    if (rowPath && !onControl && !window.getSelection()?.toString()) navigate(rowPath(row));
  };

  return (
    <div
      className={mergeClasses(styles.scroll, stale && styles.old)}
      // Rows that lead nowhere hold nothing to focus: then the table itself is what the keyboard scrolls.
      {...(rowPath ? {} : { tabIndex: 0, role: 'group', 'aria-label': label })}
    >
      <table className={styles.table} style={{ minWidth: minWidthOf(columns) }} aria-label={label} aria-busy={stale}>
        <thead>
          <tr>
            {table.getFlatHeaders().map((header) => {
              const { sort: field, width, numeric, wideOnly, widestOnly } = header.column.columnDef.meta ?? {};
              const direction = sort === field ? 'ascending' : sort === `-${field}` ? 'descending' : undefined;
              const text = flexRender(header.column.columnDef.header, header.getContext());
              return (
                <th
                  key={header.id}
                  scope="col"
                  style={{ width }}
                  aria-sort={direction}
                  className={mergeClasses(
                    styles.head,
                    numeric && styles.numeric,
                    wideOnly && styles.wideOnly,
                    widestOnly && styles.widestOnly,
                  )}
                >
                  {field && onSort ? (
                    <button
                      type="button"
                      className={styles.sort}
                      onClick={() => onSort(direction === 'descending' ? field : `-${field}`)}
                    >
                      {text}
                      {direction === 'ascending' && <ArrowUp12Regular />}
                      {direction === 'descending' && <ArrowDown12Regular />}
                    </button>
                  ) : (
                    text
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              className={mergeClasses(styles.row, rowPath && styles.open)}
              onClick={(event) => openRow(event, row.original)}
            >
              {row.getVisibleCells().map((cell) => (
                <td
                  key={cell.id}
                  className={mergeClasses(
                    styles.cell,
                    cell.column.columnDef.meta?.numeric && styles.numeric,
                    cell.column.columnDef.meta?.wideOnly && styles.wideOnly,
                    cell.column.columnDef.meta?.widestOnly && styles.widestOnly,
                  )}
                >
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {more && (
        <div className={styles.more}>
          <Button onClick={more.load} disabled={more.loading} icon={more.loading ? <Spinner size="tiny" /> : undefined}>
            {more.label}
          </Button>
        </div>
      )}
    </div>
  );
}
