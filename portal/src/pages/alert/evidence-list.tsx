/** The raw events that made the alert, and the ways from here into Logs. */
import { Accordion, makeStyles } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Alert } from '@/api/types';
import { aroundQuery, evidenceQuery, logsPath } from '@/format/kql';
import { count } from '@/format/number';
import { Muted, Section } from '@/parts/page';
import { RawEventItem } from '@/parts/raw-event-item';
import { EmptyState } from '@/parts/states';

const kAroundMinutes = 10;

const useStyles = makeStyles({
  links: { display: 'flex', gap: '4px 16px', flexWrap: 'wrap', padding: '0 16px 8px' },
  list: { padding: '0 4px 4px' },
});

export function EvidenceList({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const { evidence, evidenceTotal = alert.evidence.length } = alert;
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
          {evidence.map(({ rawEventId, timeGenerated, rawEventName, eventDetails }, index) => (
            <RawEventItem
              key={`${index} ${rawEventId}`}
              value={String(index)}
              event={{ id: rawEventId, time: timeGenerated, name: rawEventName, details: eventDetails }}
            />
          ))}
        </Accordion>
      )}
    </Section>
  );
}
