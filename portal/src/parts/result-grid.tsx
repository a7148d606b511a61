/**
 * A query result: sorted and sized in the browser, drawn row by row as it scrolls (10,000 rows are usual). Keyboard:
 * arrow keys, Home, End and Page keys move the row, Enter opens it beside the grid, Escape closes it, Ctrl+C copies it.
 */
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { ArrowDown12Regular, ArrowUp12Regular } from '@fluentui/react-icons';
import {
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type Header,
  type SortingState,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Column, QueryResult } from '@/api/types';
import { localTime, utcTime } from '@/format/time';
import { cellText, compareCells, isNumeric, toTsv } from '@/format/table';
import { RowDetails } from './row-details';

const kRowPx = 30;
const kOverscanRows = 12;
const kResizeStepPx = 16;
const kWidthMin = 60;
const kSampleRows = 50;

type Row = readonly unknown[];

const useStyles = makeStyles({
  frame: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', height: '100%', minHeight: 0 },
  split: { gridTemplateColumns: 'minmax(0, 1fr) minmax(320px, 38%)' },
  // A border, not an outline: the rows would be painted over that.
  scroll: {
    overflow: 'auto',
    minHeight: 0,
    outline: 'none',
    border: '2px solid transparent',
    ':focus-visible': { border: `2px solid ${tokens.colorBrandStroke1}` },
  },
  table: { display: 'grid', fontSize: tokens.fontSizeBase200 },
  head: {
    display: 'flex',
    position: 'sticky',
    top: 0,
    zIndex: 1,
    background: tokens.colorNeutralBackground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  th: { position: 'relative', flexShrink: 0, boxSizing: 'border-box', height: '32px', display: 'flex', alignItems: 'center' },
  sort: {
    display: 'flex',
    alignItems: 'center',
    gap: '4px',
    width: '100%',
    height: '100%',
    padding: '0 12px',
    border: 'none',
    background: 'none',
    font: 'inherit',
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground1,
    cursor: 'pointer',
    overflow: 'hidden',
    ':hover': { background: tokens.colorNeutralBackground3Hover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  },
  resize: {
    position: 'absolute',
    right: 0,
    top: 0,
    width: '7px',
    height: '100%',
    cursor: 'col-resize',
    touchAction: 'none',
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    ':hover': { borderRight: `3px solid ${tokens.colorBrandStroke1}` },
    ':focus-visible': { outline: 'none', borderRight: `3px solid ${tokens.colorBrandStroke1}` },
  },
  body: { display: 'block', position: 'relative' },
  row: {
    display: 'flex',
    position: 'absolute',
    left: 0,
    width: '100%',
    height: `${kRowPx}px`,
    cursor: 'default',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    boxSizing: 'border-box',
    ':hover': { background: tokens.colorNeutralBackground1Hover },
  },
  current: {
    background: tokens.colorNeutralBackground1Selected,
    ':hover': { background: tokens.colorNeutralBackground1Selected },
  },
  td: {
    flexShrink: 0,
    boxSizing: 'border-box',
    padding: '0 12px',
    lineHeight: `${kRowPx}px`,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  numeric: { textAlign: 'right', justifyContent: 'flex-end', fontVariantNumeric: 'tabular-nums' },
  mono: { fontFamily: tokens.fontFamilyMonospace },
});

function displayText(column: Column, value: unknown): string {
  return column.type === 'datetime' && typeof value === 'string' ? localTime(value) : cellText(value);
}

/** A first width from the header and a sample of the cells, so that most results need no resizing. */
function initialWidth(column: Column, index: number, rows: readonly Row[], last: boolean): number {
  const longest = rows.slice(0, kSampleRows).reduce((most, row) => Math.max(most, displayText(column, row[index]).length), 0);
  const width = Math.max(column.name.length * 7.5 + 44, longest * 6.8 + 28);
  return Math.round(Math.min(Math.max(width, 80), last ? 900 : 420));
}

export function ResultGrid({ result, label }: { result: QueryResult; label: string }) {
  const styles = useStyles();
  const [sorting, setSorting] = useState<SortingState>([]);
  const [current, setCurrent] = useState<number>();
  const [opened, setOpened] = useState(false);
  const scroll = useRef<HTMLDivElement>(null);

  const columns = useMemo<ColumnDef<Row>[]>(
    () =>
      result.columns.map((column, index) => ({
        // Two columns may have the same name, so the id is the place.
        id: String(index),
        header: column.name,
        accessorFn: (row) => row[index],
        sortingFn: (a, b) => compareCells(column.type, a.original[index], b.original[index]),
        sortDescFirst: false,
        size: initialWidth(column, index, result.rows, index === result.columns.length - 1),
        minSize: kWidthMin,
        maxSize: 2_000,
      })),
    [result],
  );
  const table = useReactTable({
    data: result.rows as Row[],
    columns,
    state: { sorting },
    onSortingChange: setSorting,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    columnResizeMode: 'onChange',
  });
  const { rows } = table.getRowModel();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => kRowPx,
    overscan: kOverscanRows,
    paddingStart: 0,
  });

  const select = (index: number) => {
    const bounded = Math.max(0, Math.min(rows.length - 1, index));
    setCurrent(bounded);
    virtual.scrollToIndex(bounded);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroll.current || rows.length === 0) return;
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 0) / kRowPx) - 2);
    const moves: Record<string, number> = {
      ArrowDown: current === undefined ? 0 : current + 1,
      ArrowUp: (current ?? 0) - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: (current ?? 0) + page,
      PageUp: (current ?? 0) - page,
    };
    const target = moves[event.key];
    if (target !== undefined) select(target);
    else if (event.key === 'Enter' && current !== undefined) setOpened(true);
    else if (event.key === 'Escape') setOpened(false);
    else if (
      event.key === 'c' &&
      (event.ctrlKey || event.metaKey) &&
      current !== undefined &&
      !window.getSelection()?.toString()
    ) {
      void navigator.clipboard.writeText(toTsv({ columns: result.columns, rows: [[...rows[current]!.original]] }));
    } else return;
    event.preventDefault();
  };

  const shown = opened && current !== undefined ? rows[current] : undefined;
  return (
    <div className={mergeClasses(styles.frame, shown && styles.split)}>
      <div
        ref={scroll}
        className={styles.scroll}
        role="grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={result.columns.length}
        aria-activedescendant={current === undefined ? undefined : `row-${current}`}
        onKeyDown={onKeyDown}
      >
        <div className={styles.table} role="presentation" style={{ width: Math.max(table.getTotalSize(), 100) }}>
          <div className={styles.head} role="row" aria-rowindex={1}>
            {table.getFlatHeaders().map((header, index) => (
              <HeaderCell key={header.id} header={header} column={result.columns[index]!} />
            ))}
          </div>
          <div className={styles.body} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const row = rows[index]!;
              return (
                <div
                  key={row.id}
                  id={`row-${index}`}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-selected={index === current}
                  className={mergeClasses(styles.row, index === current && styles.current)}
                  style={{ transform: `translateY(${start}px)` }}
                  onClick={() => setCurrent(index)}
                  onDoubleClick={() => setOpened(true)}
                >
                  {row.getVisibleCells().map((cell, columnIndex) => {
                    const column = result.columns[columnIndex]!;
                    const value = cell.getValue();
                    return (
                      <div
                        key={cell.id}
                        role="gridcell"
                        aria-colindex={columnIndex + 1}
                        style={{ width: cell.column.getSize() }}
                        title={column.type === 'datetime' ? utcTime(cellText(value)) : undefined}
                        className={mergeClasses(
                          styles.td,
                          isNumeric(column) && styles.numeric,
                          column.type === 'dynamic' && styles.mono,
                        )}
                      >
                        {displayText(column, value)}
                      </div>
                    );
                  })}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {shown && (
        <RowDetails
          columns={result.columns}
          row={shown.original}
          onClose={() => {
            setOpened(false);
            scroll.current?.focus();
          }}
        />
      )}
    </div>
  );
}

function HeaderCell({ header, column }: { header: Header<Row, unknown>; column: Column }) {
  const styles = useStyles();
  const sorted = header.column.getIsSorted();
  const resizeBy = (step: number) =>
    header.getContext().table.setColumnSizing((old) => ({ ...old, [header.id]: Math.max(kWidthMin, header.getSize() + step) }));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    resizeBy(event.key === 'ArrowRight' ? kResizeStepPx : -kResizeStepPx);
    event.preventDefault();
  };
  return (
    <div
      role="columnheader"
      aria-colindex={header.index + 1}
      aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : 'none'}
      className={styles.th}
      style={{ width: header.getSize() }}
    >
      <button
        type="button"
        className={mergeClasses(styles.sort, isNumeric(column) && styles.numeric)}
        title={`${column.name}: ${column.type}`}
        onClick={header.column.getToggleSortingHandler()}
      >
        {flexRender(header.column.columnDef.header, header.getContext())}
        {sorted === 'asc' && <ArrowUp12Regular />}
        {sorted === 'desc' && <ArrowDown12Regular />}
      </button>
      <div
        className={styles.resize}
        role="separator"
        aria-orientation="vertical"
        tabIndex={0}
        aria-label={`Width of ${column.name}`}
        aria-valuenow={header.getSize()}
        aria-valuemin={kWidthMin}
        aria-valuemax={2000}
        onMouseDown={header.getResizeHandler()}
        onTouchStart={header.getResizeHandler()}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}
