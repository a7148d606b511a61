/** A tile a row: title, big number, further words; or one card where the workbook names no columns. */
import { makeStyles, tokens } from '@fluentui/react-components';
import type { QueryResult } from '@/api/types';
import { isNumeric } from '@/format/table';
import { shownText, titleColumn } from '@/format/workbook/cells';
import type { Formatter, QueryItem } from '@/format/workbook/model';
import { Cell } from './cell';
import { exportedChoice } from './workbook-grid';
import { useWorkbookState } from './context';

/** Links and sparklines are drawn; a tile that is a button holds none. */
const kDrawn = new Set([7, 9, 10, 21]);
const kTilesMax = 100;

const useStyles = makeStyles({
  tiles: { display: 'flex', flexWrap: 'wrap', gap: '10px' },
  tile: {
    boxSizing: 'border-box',
    minWidth: 'min(150px, 100%)',
    maxWidth: '100%',
    padding: '10px 14px',
    textAlign: 'left',
    font: 'inherit',
    color: 'inherit',
    background: tokens.colorNeutralBackground2,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  open: { cursor: 'pointer' },
  title: { color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  big: {
    fontSize: tokens.fontSizeHero700,
    lineHeight: tokens.lineHeightHero700,
    fontWeight: tokens.fontWeightSemibold,
    fontVariantNumeric: 'tabular-nums',
  },
  small: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

export function Tiles({ item, data }: { item: QueryItem; data: Pick<QueryResult, 'columns' | 'rows'> }) {
  const styles = useStyles();
  const { choose } = useWorkbookState();
  const { tiles } = item;
  const at = (formatter: Formatter | undefined) => data.columns.findIndex(({ name }) => name === formatter?.column);
  const numeric = data.columns.findIndex(isNumeric);
  const left = at(tiles.left) >= 0 ? at(tiles.left) : numeric;
  const titleAt = titleColumn(item.tiles, data.columns, left);
  const cell = (row: readonly unknown[], index: number, formatter: Formatter | undefined) =>
    index < 0 ? null : <Cell column={data.columns[index]} columns={data.columns} row={row} index={index} formatter={formatter} />;
  return (
    <div className={styles.tiles}>
      {data.rows.slice(0, kTilesMax).map((row, index) => {
        const content = (
          <>
            {titleAt >= 0 && <div className={styles.title}>{cell(row, titleAt, tiles.title)}</div>}
            {left >= 0 && <div className={styles.big}>{shownText(data.columns[left], row[left], tiles.left)}</div>}
            {[tiles.subtitle, tiles.right, tiles.secondary].map((formatter) =>
              at(formatter) < 0 ? null : (
                <div key={formatter!.column} className={styles.small}>
                  {item.exports.length === 0 && kDrawn.has(formatter!.kind) ? (
                    cell(row, at(formatter), formatter)
                  ) : (
                    <>
                      {formatter!.column}: {shownText(data.columns[at(formatter)], row[at(formatter)], formatter)}
                    </>
                  )}
                </div>
              ),
            )}
          </>
        );
        if (item.exports.length === 0) {
          return (
            <div key={index} className={styles.tile}>
              {content}
            </div>
          );
        }
        return (
          <button
            key={index}
            type="button"
            className={`${styles.tile} ${styles.open}`}
            onClick={() =>
              item.exports.forEach((rule) => choose(rule.parameter, exportedChoice(item, rule, data.columns, [row]), true))
            }
          >
            {content}
          </button>
        );
      })}
    </div>
  );
}
