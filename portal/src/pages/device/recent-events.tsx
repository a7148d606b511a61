import { Link } from 'react-router-dom';
import { useKql } from '@/api/queries';
import { deviceEventsQuery, logsPath } from '@/format/kql';
import { count } from '@/format/number';
import { ResultGrid } from '@/parts/result-grid';
import { Muted, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';

const kEventsMax = 200;
const kRefreshMs = 10_000;

export function RecentEvents({ deviceId }: { deviceId: string }) {
  const query = deviceEventsQuery(deviceId, kEventsMax);
  const { data, error, refetch } = useKql({ query, timespan: 'PT24H' }, { refetchInterval: kRefreshMs });
  return (
    <Section
      title="Newest events, last 24 hours"
      flush
      actions={
        <>
          {data && <Muted>{count(data.rows.length, 'event')}</Muted>}
          <Link to={logsPath(query, 'PT24H')}>Open in Logs</Link>
        </>
      }
    >
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading label="Loading events" />
      ) : data.rows.length === 0 ? (
        <EmptyState title="No events in the last 24 hours">
          If the agent runs, <code>picket-agent status</code> on the device says whether it is connected.
        </EmptyState>
      ) : (
        <div style={{ height: 'max(420px, calc(100vh - 300px))' }}>
          <ResultGrid result={data} label="Newest events" />
        </div>
      )}
    </Section>
  );
}
