import { makeStyles, Tab, TabList, tokens } from '@fluentui/react-components';
import { useParams, useSearchParams } from 'react-router-dom';
import { useAlerts, useDevice } from '@/api/queries';
import type { Device } from '@/api/types';
import { kOpenStatuses, totalOf } from '@/format/severity';
import { AlertTable } from '@/parts/alert-table';
import { JsonText } from '@/parts/json-text';
import { Facts, Page, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { DeviceStateBadge } from '@/parts/status-badges';
import { TimeText } from '@/parts/time-text';
import { DeviceActions } from './device-actions';
import { Coverage, Modules } from './device-parts';
import { DevicePosture } from './device-posture';
import { DeviceResponse } from './device-response';
import { DeviceSoftware } from './device-software';
import { DeviceTwin } from './device-twin';
import { DeviceVulnerabilities } from './device-vulnerabilities';
import { RecentEvents } from './recent-events';

const kTabs = ['summary', 'alerts', 'events', 'software', 'vulnerabilities', 'posture', 'twin', 'response'] as const;

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 3fr) minmax(300px, 2fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
  tabs: { overflowX: 'auto' },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

export default function DevicePage() {
  const styles = useStyles();
  const deviceId = useParams().deviceId ?? '';
  const [params, setParams] = useSearchParams();
  const { data: device, error, refetch } = useDevice(deviceId);
  const tab = kTabs.find((name) => name === params.get('tab')) ?? 'summary';
  const parent = { path: '/devices', label: 'Devices' };

  if (!device) {
    return (
      <Page title={deviceId} parent={parent}>
        {error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the device" />}
      </Page>
    );
  }
  const open = totalOf(device.openAlerts);
  return (
    <Page
      title={deviceId}
      parent={parent}
      actions={
        <>
          <DeviceStateBadge device={device} />
          <DeviceActions device={device} />
        </>
      }
    >
      <TabList
        className={styles.tabs}
        selectedValue={tab}
        onTabSelect={(_, data) => setParams(data.value === 'summary' ? {} : { tab: data.value as string }, { replace: true })}
      >
        <Tab value="summary">Summary</Tab>
        <Tab value="alerts">Alerts{open > 0 ? ` (${open} open)` : ''}</Tab>
        <Tab value="events">Events</Tab>
        <Tab value="software">Software</Tab>
        <Tab value="vulnerabilities">Vulnerabilities</Tab>
        <Tab value="posture">Posture</Tab>
        <Tab value="twin">Twin</Tab>
        <Tab value="response">Response</Tab>
      </TabList>
      {tab === 'summary' && <Summary device={device} />}
      {tab === 'alerts' && <DeviceAlerts deviceId={deviceId} />}
      {tab === 'events' && <RecentEvents deviceId={deviceId} />}
      {tab === 'software' && <DeviceSoftware deviceId={deviceId} />}
      {tab === 'vulnerabilities' && <DeviceVulnerabilities deviceId={deviceId} />}
      {tab === 'posture' && <DevicePosture deviceId={deviceId} />}
      {tab === 'twin' && <DeviceTwin device={device} />}
      {tab === 'response' && <DeviceResponse device={device} />}
    </Page>
  );
}

function Summary({ device }: { device: Device }) {
  const styles = useStyles();
  return (
    <div className={styles.columns}>
      <div className={styles.stack}>
        <Section title="About this device">
          <Facts
            facts={[
              ['Connection', device.connectionState],
              ['Last activity', <TimeText key="activity" relative value={device.lastActivity} />],
              ['Added', <TimeText key="created" value={device.created} />],
              ['Group', device.group],
              ['Operating system', device.os],
              ['Agent version', device.agentVersion],
              [
                'Identity generation',
                <span key="generation" className={styles.mono}>
                  {device.generationId}
                </span>,
              ],
            ]}
          />
        </Section>
        <OpenAlerts deviceId={device.deviceId} />
        {device.systemInformation && (
          <Section title="System information">
            <JsonText label="System information as reported" text={JSON.stringify(device.systemInformation, null, 2)} />
          </Section>
        )}
      </div>
      <div className={styles.stack}>
        <Coverage device={device} />
        <Modules modules={device.modules} />
      </div>
    </div>
  );
}

function OpenAlerts({ deviceId }: { deviceId: string }) {
  const { data, error, refetch } = useAlerts({ device: deviceId, status: [...kOpenStatuses], sort: '-startTime' });
  const alerts = data?.pages[0]?.items.slice(0, 5) ?? [];
  return (
    <Section title="Open alerts" flush>
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading label="Loading alerts" />
      ) : alerts.length === 0 ? (
        <EmptyState title="No open alerts" />
      ) : (
        <AlertTable compact hideDevice label="Open alerts" alerts={alerts} />
      )}
    </Section>
  );
}

function DeviceAlerts({ deviceId }: { deviceId: string }) {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useAlerts({
    device: deviceId,
    sort: '-startTime',
  });
  if (!data) return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading alerts" />;
  const alerts = data.pages.flatMap((page) => page.items);
  if (alerts.length === 0) return <EmptyState title="This device never had an alert" />;
  return (
    <Section title="All alerts of this device" flush>
      <AlertTable
        label="Alerts"
        hideDevice
        alerts={alerts}
        more={hasNextPage ? { load: () => void fetchNextPage(), loading: isFetchingNextPage, label: 'Show more' } : undefined}
      />
    </Section>
  );
}
