import { Link } from 'react-router-dom';
import { useKql } from '@/api/queries';
import type { Overview } from '@/api/types';
import { logsPath } from '@/format/kql';
import { count, exact } from '@/format/number';
import { localClock, localTime } from '@/format/time';
import { BarChart } from '@/parts/chart';
import { Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';

const kRefreshMs = 60_000;
const kTypesMax = 10;
const kByTypeQuery = 'SecurityIoTRawEvent\n| summarize Events = count() by RawEventName\n| sort by Events desc';

export function EventsPerMinute({ minutes }: { minutes: Overview['events_per_minute'] }) {
  const total = minutes.reduce((sum, entry) => sum + entry.count, 0);
  return (
    <Section title="Events per minute, last hour">
      {total === 0 ? (
        <EmptyState title="No events in the last hour">They appear here as soon as a device reports.</EmptyState>
      ) : (
        <BarChart
          height={200}
          label={`Events per minute over the last hour, ${exact(total)} in all`}
          values={minutes.map((entry) => ({
            name: localClock(entry.start),
            value: entry.count,
            tooltip: localTime(entry.start),
          }))}
        />
      )}
    </Section>
  );
}

export function EventsByType() {
  const { data, error, refetch } = useKql(
    { query: kByTypeQuery, timespan: 'PT1H', max_rows: 100 },
    { refetchInterval: kRefreshMs },
  );
  const rows = (data?.rows ?? []).slice(0, kTypesMax).map(([name, value]) => ({ name: String(name), value: Number(value) }));
  return (
    <Section title="Events by type, last hour" actions={<Link to={logsPath(kByTypeQuery, 'PT1H')}>Open in Logs</Link>}>
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading label="Counting events" />
      ) : rows.length === 0 ? (
        <EmptyState title="No events in the last hour" />
      ) : (
        <BarChart
          horizontal
          height={28 * rows.length + 40}
          label={rows.map(({ name, value }) => `${name}: ${count(value, 'event')}`).join(', ')}
          values={rows}
        />
      )}
    </Section>
  );
}
