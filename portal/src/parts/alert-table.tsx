/** Alerts as a table: the Alerts page, and those of one device. */
import type { ColumnDef } from '@tanstack/react-table';
import { useMemo } from 'react';
import { Link } from 'react-router-dom';
import type { AlertSummary } from '@/api/types';
import { ListTable } from './list-table';
import { SeverityBadge } from './severity-badge';
import { AlertStatusBadge } from './status-badges';
import { TimeText } from './time-text';

export const alertPath = (id: string) => `/alerts/${encodeURIComponent(id)}`;
export const devicePath = (id: string) => `/devices/${encodeURIComponent(id)}`;

const kColumns: ColumnDef<AlertSummary>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { sort: 'severity', width: '152px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  {
    id: 'displayName',
    header: 'Alert',
    meta: { sort: 'displayName' },
    cell: ({ row }) => (
      <Link to={alertPath(row.original.id)} title={row.original.displayName}>
        {row.original.displayName}
      </Link>
    ),
  },
  {
    id: 'deviceId',
    header: 'Device',
    meta: { sort: 'deviceId', width: '24%' },
    cell: ({ row }) => <Link to={devicePath(row.original.deviceId)}>{row.original.deviceId}</Link>,
  },
  {
    id: 'status',
    header: 'Status',
    meta: { sort: 'status', width: '110px' },
    cell: ({ row }) => <AlertStatusBadge status={row.original.status} />,
  },
  {
    id: 'owner',
    header: 'Owner',
    meta: { width: '120px', widestOnly: true },
    cell: ({ row: { original } }) => <span title={original.owner}>{original.owner}</span>,
  },
  {
    id: 'startTime',
    header: 'Started',
    meta: { sort: 'startTime', width: '190px' },
    cell: ({ row }) => <TimeText value={row.original.startTime} />,
  },
];
/** Where the table is one part of a page: narrower, and how long ago instead of when. */
const kCompactWidths: Record<string, string> = { severity: '130px', deviceId: '19%', status: '108px', startTime: '140px' };
const kCompactColumns: ColumnDef<AlertSummary>[] = kColumns
  .filter(({ id }) => id !== 'owner')
  .map((column) => ({
    ...column,
    meta: { ...column.meta, width: kCompactWidths[column.id!] ?? column.meta?.width },
    ...(column.id === 'startTime' && { cell: ({ row }) => <TimeText relative value={row.original.startTime} /> }),
  }));

interface AlertTableProps {
  label: string;
  alerts: readonly AlertSummary[];
  sort?: string;
  onSort?(sort: string): void;
  stale?: boolean;
  more?: { load(): void; loading: boolean; label: string };
  hideDevice?: boolean;
  compact?: boolean;
}

export function AlertTable({ alerts, hideDevice = false, compact = false, ...rest }: AlertTableProps) {
  const columns = useMemo(
    () => (compact ? kCompactColumns : kColumns).filter(({ id }) => !hideDevice || id !== 'deviceId'),
    [compact, hideDevice],
  );
  return (
    <ListTable<AlertSummary>
      columns={columns}
      rows={alerts}
      rowId={(alert) => alert.id}
      rowPath={(alert) => alertPath(alert.id)}
      {...rest}
    />
  );
}
