/** The raw events that made the alert, and the ways from here into Logs. */
import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, makeStyles, tokens } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Alert, Evidence } from '@/api/types';
import { aroundQuery, evidenceQuery, logsPath } from '@/format/kql';
import { count } from '@/format/number';
import { cellText } from '@/format/table';
import { CopyButton } from '@/parts/copy-button';
import { JsonText } from '@/parts/json-text';
import { Muted, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const kAroundMinutes = 10;
const kPreviewKeys = [
  'CommandLine',
  'Executable',
  'UserName',
  'RemoteAddress',
  'RemotePort',
  'LocalPort',
  'Result',
  'Operation',
  'Message',
];

const useStyles = makeStyles({
  links: { display: 'flex', gap: '16px', flexWrap: 'wrap', padding: '0 16px 8px' },
  head: {
    display: 'grid',
    gridTemplateColumns: '190px 140px minmax(0, 1fr)',
    gap: '12px',
    width: '100%',
    alignItems: 'baseline',
  },
  preview: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    color: tokens.colorNeutralForeground2,
  },
  panel: { padding: '0 8px 12px', display: 'flex', flexDirection: 'column', gap: '4px' },
  id: { display: 'flex', alignItems: 'center', gap: '4px' },
  list: { padding: '0 4px 4px' },
});

/** What an analyst wants to see of an event without opening it: the best-known keys, else the first ones. */
export function preview(details: Record<string, unknown>): string {
  const known = kPreviewKeys.filter((key) => details[key] !== undefined && details[key] !== '');
  const names = known.length > 0 ? known : Object.keys(details).slice(0, 3);
  return names.map((name) => `${name}: ${cellText(details[name])}`).join(' · ');
}

function Item({ evidence }: { evidence: Evidence }) {
  const styles = useStyles();
  const details = evidence.eventDetails;
  return (
    <AccordionItem value={evidence.rawEventId}>
      <AccordionHeader size="small" inline={false}>
        <span className={styles.head}>
          <span>{evidence.timeGenerated ? <TimeText value={evidence.timeGenerated} /> : 'No longer kept'}</span>
          <span>{evidence.rawEventName ?? 'Raw event'}</span>
          <span className={styles.preview}>{details ? preview(details) : evidence.rawEventId}</span>
        </span>
      </AccordionHeader>
      <AccordionPanel className={styles.panel}>
        <span className={styles.id}>
          <Muted>Raw event {evidence.rawEventId}</Muted>
          <CopyButton text={evidence.rawEventId} label="Copy the raw event id" />
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

export function EvidenceList({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const { evidence, evidenceTotal = alert.evidence.length } = alert;
  // Evidence ids repeat when one raw event holds several items, so the index is part of the key.
  return (
    <Section
      title="Evidence"
      flush
      actions={
        <Muted>
          {evidenceTotal > evidence.length
            ? `${evidence.length} of ${count(evidenceTotal, 'event')}`
            : count(evidenceTotal, 'event')}
        </Muted>
      }
    >
      <div className={styles.links}>
        {evidence.length > 0 && (
          <Link to={logsPath(evidenceQuery(evidence.map(({ rawEventId }) => rawEventId)))}>Investigate in Logs</Link>
        )}
        <Link to={logsPath(aroundQuery(alert.deviceId, alert.startTime, alert.endTime, kAroundMinutes))}>
          Device activity around this time
        </Link>
      </div>
      {evidence.length === 0 ? (
        <EmptyState title="This alert names no events" />
      ) : (
        <Accordion className={styles.list} collapsible multiple>
          {evidence.map((item, index) => (
            <Item key={`${index} ${item.rawEventId}`} evidence={item} />
          ))}
        </Accordion>
      )}
    </Section>
  );
}
