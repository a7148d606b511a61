import type { ColumnDef } from '@tanstack/react-table';
import { useMemo } from 'react';
import { Link } from 'react-router-dom';
import type { AlertGroup } from '@/api/types';
import { exact } from '@/format/number';
import { devicePath } from '@/parts/alert-table';
import { ListTable } from '@/parts/list-table';
import { Muted } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { TimeText } from '@/parts/time-text';
import { GroupActions } from './group-actions';

const kDayMs = 86_400_000;

/** The alerts of the group: of that type, on that day, whatever their status. */
export function groupPath({ alertType, date, deviceId }: Pick<AlertGroup, 'alertType' | 'date' | 'deviceId'>): string {
  const start = Date.parse(`${date}T00:00:00Z`);
  const words = new URLSearchParams({
    status: 'any',
    informational: 'shown',
    type: alertType,
    since: new Date(start).toISOString(),
    until: new Date(start + kDayMs).toISOString(),
    ...(deviceId ? { device: deviceId } : {}),
  });
  return `/alerts?${words}`;
}

const kColumns: ColumnDef<AlertGroup>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { width: '140px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  { id: 'date', header: 'Day (UTC)', meta: { width: '116px' }, cell: ({ row }) => row.original.date },
  {
    id: 'displayName',
    header: 'Alert',
    cell: ({ row: { original } }) => (
      <Link to={groupPath(original)} title={`${original.displayName}\n${original.alertType}`}>
        {original.displayName}
      </Link>
    ),
  },
  {
    id: 'devices',
    header: 'Devices',
    meta: { width: '16%' },
    cell: ({ row: { original } }) =>
      original.deviceId ? <Link to={devicePath(original.deviceId)}>{original.deviceId}</Link> : exact(original.devices),
  },
  {
    id: 'alerts',
    header: 'Open',
    meta: { width: '110px', numeric: true },
    cell: ({ row: { original } }) => `${exact(original.open)} of ${exact(original.alerts)}`,
  },
  {
    id: 'count',
    header: 'Happenings',
    meta: { width: '110px', numeric: true, widestOnly: true },
    cell: ({ row }) => exact(row.original.count),
  },
  {
    id: 'end',
    header: 'Last',
    meta: { width: '146px', wideOnly: true },
    cell: ({ row }) => <TimeText relative value={row.original.endTime} />,
  },
];
const kActions: ColumnDef<AlertGroup> = {
  id: 'actions',
  header: '',
  meta: { width: '116px' },
  // A decision is about the whole group, so it is not offered for one device's part of it.
  cell: ({ row }) => (row.original.deviceId ? <Muted> </Muted> : <GroupActions group={row.original} />),
};

interface GroupTableProps {
  groups: readonly AlertGroup[];
  stale: boolean;
  more?: { load(): void; loading: boolean; label: string };
}

export function GroupTable({ groups, ...rest }: GroupTableProps) {
  const byDevice = groups.some(({ deviceId }) => deviceId);
  const columns = useMemo(() => (byDevice ? kColumns : [...kColumns, kActions]), [byDevice]);
  return (
    <ListTable<AlertGroup>
      label="Groups of alerts"
      columns={columns}
      rows={groups}
      rowId={({ alertType, date, deviceId = '' }) => `${alertType} ${date} ${deviceId}`}
      rowPath={groupPath}
      {...rest}
    />
  );
}
