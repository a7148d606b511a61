/** All fields of one result row, JSON pretty-printed. */
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { Dismiss16Regular } from '@fluentui/react-icons';
import type { Column } from '@/api/types';
import { localTime, utcTime } from '@/format/time';
import { cellText, prettyJson } from '@/format/table';
import { CopyButton } from './copy-button';
import { JsonText } from './json-text';

const useStyles = makeStyles({
  panel: { borderLeft: `1px solid ${tokens.colorNeutralStroke2}`, overflowY: 'auto', minHeight: 0, padding: '8px 12px 16px' },
  head: { display: 'flex', alignItems: 'center', justifyContent: 'space-between' },
  title: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  list: { margin: '8px 0 0', display: 'flex', flexDirection: 'column', gap: '10px' },
  name: {
    display: 'flex',
    alignItems: 'center',
    gap: '4px',
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground3,
  },
  value: { margin: 0, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' },
});

export function RowDetails({ columns, row, onClose }: { columns: readonly Column[]; row: readonly unknown[]; onClose(): void }) {
  const styles = useStyles();
  return (
    <section className={styles.panel} aria-label="Row details">
      <div className={styles.head}>
        <h3 className={styles.title}>Row details</h3>
        <Button size="small" appearance="subtle" icon={<Dismiss16Regular />} aria-label="Close row details" onClick={onClose} />
      </div>
      <dl className={styles.list}>
        {columns.map((column, index) => {
          const value = row[index];
          const text = cellText(value);
          const pretty = prettyJson(value);
          return (
            <div key={index}>
              <dt className={styles.name}>
                {column.name} <CopyButton text={pretty ?? text} label={`Copy ${column.name}`} />
              </dt>
              <dd className={styles.value}>
                {pretty !== undefined ? (
                  <JsonText label={column.name} text={pretty} />
                ) : column.type === 'datetime' && text ? (
                  `${localTime(text)}\n${utcTime(text)}`
                ) : (
                  text || '–'
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}
