import { Button, Dropdown, makeStyles, Option, SearchBox } from '@fluentui/react-components';
import { Add20Regular, DeveloperBoardSearch20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useDevices } from '@/api/queries';
import type { DeviceFilters, DeviceSummary, Reporting } from '@/api/types';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { totalOf, worstOf } from '@/format/severity';
import { devicePath } from '@/parts/alert-table';
import { ListTable } from '@/parts/list-table';
import { Muted, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { DeviceStateBadge } from '@/parts/status-badges';
import { TimeText } from '@/parts/time-text';
import { Onboarding } from '../overview/onboarding';
import { AddDeviceDialog } from './add-device-dialog';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px' },
  alerts: { display: 'inline-flex', gap: '6px', alignItems: 'center' },
  dropdown: { minWidth: '150px' },
});

function OpenAlerts({ device }: { device: DeviceSummary }) {
  const styles = useStyles();
  const worst = worstOf(device.openAlerts);
  if (!worst) return <Muted>none</Muted>;
  return (
    <span className={styles.alerts}>
      <SeverityBadge severity={worst} iconOnly /> {totalOf(device.openAlerts)}
    </span>
  );
}

const kColumns: ColumnDef<DeviceSummary>[] = [
  {
    id: 'deviceId',
    header: 'Device',
    meta: { sort: 'deviceId', width: '24%' },
    cell: ({ row }) => (
      <Link to={devicePath(row.original.deviceId)} title={row.original.deviceId}>
        {row.original.deviceId}
      </Link>
    ),
  },
  { id: 'state', header: 'State', meta: { width: '160px' }, cell: ({ row }) => <DeviceStateBadge device={row.original} /> },
  {
    id: 'openAlerts',
    header: 'Open alerts',
    meta: { sort: 'openAlerts', width: '120px' },
    cell: ({ row }) => <OpenAlerts device={row.original} />,
  },
  {
    id: 'lastActivity',
    header: 'Last activity',
    meta: { sort: 'lastActivity', width: '150px' },
    cell: ({ row }) => <TimeText relative value={row.original.lastActivity} />,
  },
  { id: 'group', header: 'Group', meta: { width: '13%' }, cell: ({ row }) => row.original.group ?? '–' },
  {
    id: 'os',
    header: 'Operating system',
    meta: { wideOnly: true },
    cell: ({ row }) => <span title={row.original.os}>{row.original.os ?? '–'}</span>,
  },
  {
    id: 'agentVersion',
    header: 'Agent',
    meta: { width: '90px', wideOnly: true },
    cell: ({ row }) => row.original.agentVersion ?? '–',
  },
];

const kReportingTexts: Record<Reporting, string> = { reporting: 'Reporting', silent: 'Silent', never: 'Never reported' };

export default function DevicesPage() {
  const styles = useStyles();
  const { get, set, clear, any } = useFilters(['q', 'reporting', 'sort']);
  const [adding, setAdding] = useState(false);
  const mayAdd = useMay('Contributor');
  const filters: DeviceFilters = {
    q: get('q') || undefined,
    reporting: (get('reporting') || undefined) as Reporting | undefined,
    sort: (get('sort') || '-lastActivity') as DeviceFilters['sort'],
  };
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData } = useDevices(filters);
  const devices = data?.pages.flatMap((page) => page.items) ?? [];
  const total = data?.pages[0]?.total ?? 0;

  return (
    <Page
      title="Devices"
      actions={
        mayAdd && (
          <Button appearance="primary" icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Add device
          </Button>
        )
      }
    >
      <div className={styles.bar} role="search" aria-label="Filter devices">
        <SearchBox
          className={styles.search}
          aria-label="Search devices"
          placeholder="Device, group or system"
          value={get('q')}
          onChange={(_, data) => set('q', data.value)}
        />
        <Dropdown
          className={styles.dropdown}
          aria-label="State"
          value={kReportingTexts[filters.reporting as Reporting] ?? 'Any state'}
          selectedOptions={[get('reporting')]}
          onOptionSelect={(_, data) => set('reporting', data.optionValue ?? '')}
        >
          <Option value="">Any state</Option>
          {Object.entries(kReportingTexts).map(([value, text]) => (
            <Option key={value} value={value}>
              {text}
            </Option>
          ))}
        </Dropdown>
        {any && (
          <Button appearance="subtle" onClick={clear}>
            Clear filters
          </Button>
        )}
        {data && <Muted>{count(total, 'device')}</Muted>}
      </div>
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading devices" />
        )
      ) : devices.length > 0 ? (
        <Section title="All devices" flush>
          <ListTable
            label="Devices"
            columns={kColumns}
            rows={devices}
            rowId={(device) => device.deviceId}
            rowPath={(device) => devicePath(device.deviceId)}
            sort={filters.sort}
            onSort={(sort) => set('sort', sort)}
            stale={isPlaceholderData}
            more={
              hasNextPage
                ? {
                    load: () => void fetchNextPage(),
                    loading: isFetchingNextPage,
                    label: `Show more (${devices.length} of ${total})`,
                  }
                : undefined
            }
          />
        </Section>
      ) : any ? (
        <EmptyState icon={<DeveloperBoardSearch20Regular />} title="No device matches">
          Change or clear the filters above.
        </EmptyState>
      ) : (
        <Onboarding />
      )}
      <AddDeviceDialog open={adding} onClose={() => setAdding(false)} />
    </Page>
  );
}
