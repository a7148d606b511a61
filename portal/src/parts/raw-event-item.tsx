/** One raw event in a list that unfolds: when, what, the best-known details in one line; all of it inside. */
import { AccordionHeader, AccordionItem, AccordionPanel, makeStyles, tokens } from '@fluentui/react-components';
import { preview, type RawEvent } from '@/format/events';
import { CopyButton } from './copy-button';
import { JsonText } from './json-text';
import { Muted } from './page';
import { TimeText } from './time-text';

const useStyles = makeStyles({
  head: {
    display: 'grid',
    gridTemplateColumns: '190px 160px minmax(0, 1fr)',
    gap: '0 12px',
    width: '100%',
    alignItems: 'baseline',
    textAlign: 'left',
    '@media (max-width: 760px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  name: { overflow: 'hidden', textOverflow: 'ellipsis' },
  preview: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    color: tokens.colorNeutralForeground2,
  },
  panel: { padding: '0 8px 12px', display: 'flex', flexDirection: 'column', gap: '4px' },
  id: { display: 'flex', alignItems: 'center', gap: '4px', overflowWrap: 'anywhere' },
});

/** `value` tells items of one Accordion apart: ids repeat when one raw event holds several items. */
export function RawEventItem({ event: { id, time, name, details }, value }: { event: RawEvent; value: string }) {
  const styles = useStyles();
  return (
    <AccordionItem value={value}>
      <AccordionHeader size="small" inline={false}>
        <span className={styles.head}>
          <span>{time ? <TimeText value={time} /> : 'No longer kept'}</span>
          <span className={styles.name}>{name ?? 'Raw event'}</span>
          <span className={styles.preview}>{details ? preview(details) : id}</span>
        </span>
      </AccordionHeader>
      <AccordionPanel className={styles.panel}>
        <span className={styles.id}>
          <Muted>Raw event {id}</Muted>
          <CopyButton text={id} label="Copy the raw event id" />
        </span>
        {details ? (
          <JsonText label="Event details" text={JSON.stringify(details, null, 2)} />
        ) : (
          <Muted>The event is older than the retention of its table.</Muted>
        )}
      </AccordionPanel>
    </AccordionItem>
  );
}
