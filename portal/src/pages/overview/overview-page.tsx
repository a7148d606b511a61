import { makeStyles } from '@fluentui/react-components';
import { useOverview } from '@/api/queries';
import { Page } from '@/parts/page';
import { ErrorState, Loading } from '@/parts/states';
import { EventsPerMinute, EventsByType } from './event-charts';
import { NewestAlerts } from './newest-alerts';
import { Onboarding } from './onboarding';
import { Tiles } from './tiles';
import { TopDevices } from './top-devices';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 2.6fr) minmax(280px, 1fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
});

export default function OverviewPage() {
  const styles = useStyles();
  const { data, error, refetch } = useOverview();
  if (!data)
    return (
      <Page title="Overview">
        {error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the overview" />}
      </Page>
    );
  return (
    <Page title="Overview">
      {data.devices.total === 0 && <Onboarding />}
      <Tiles overview={data} />
      <div className={styles.columns}>
        <div className={styles.stack}>
          <EventsPerMinute minutes={data.events_per_minute} />
          <NewestAlerts alerts={data.alerts.newest} />
        </div>
        <div className={styles.stack}>
          <TopDevices devices={data.top_devices} />
          <EventsByType />
        </div>
      </div>
    </Page>
  );
}
