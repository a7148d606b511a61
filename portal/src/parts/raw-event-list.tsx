/** Raw events with all their columns, as the server answers them, and the query that finds them again. */
import { Accordion, makeStyles } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { RawEvents } from '@/api/types';
import { eventsOf } from '@/format/events';
import { logsPath } from '@/format/kql';
import { RawEventItem } from './raw-event-item';
import { EmptyState } from './states';

const useStyles = makeStyles({ list: { padding: '0 4px 4px' }, links: { padding: '0 16px 8px' } });

export function RawEventList({ events }: { events: RawEvents }) {
  const styles = useStyles();
  const rows = eventsOf(events);
  if (rows.length === 0) return <EmptyState title="No events are named" />;
  return (
    <>
      {events.query && (
        <div className={styles.links}>
          <Link to={logsPath(events.query)}>Open in Logs</Link>
        </div>
      )}
      <Accordion className={styles.list} collapsible multiple>
        {rows.map((event, index) => (
          <RawEventItem key={index} value={String(index)} event={event} />
        ))}
      </Accordion>
    </>
  );
}
