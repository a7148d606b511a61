import type { ColumnDef } from '@tanstack/react-table';
import { Link } from 'react-router-dom';
import type { Incident } from '@/api/types';
import { exact } from '@/format/number';
import { incidentPath, IncidentStatusBadge, kIncidentKinds } from '@/parts/incident-badges';
import { ListTable } from '@/parts/list-table';
import { SeverityBadge } from '@/parts/severity-badge';
import { TimeText } from '@/parts/time-text';

const kColumns: ColumnDef<Incident>[] = [
  { id: 'number', header: 'No.', meta: { width: '72px', numeric: true }, cell: ({ row }) => row.original.number },
  {
    id: 'severity',
    header: 'Severity',
    meta: { width: '110px' },
    cell: ({ row }) => <SeverityBadge severity={row.original.severity} />,
  },
  {
    id: 'title',
    header: 'Incident',
    cell: ({ row: { original } }) => (
      <Link to={incidentPath(original.number)} title={original.title}>
        {original.title}
      </Link>
    ),
  },
  { id: 'kind', header: 'Kind', meta: { width: '128px', widestOnly: true }, cell: ({ row }) => kIncidentKinds[row.original.kind] },
  {
    id: 'devices',
    header: 'Devices',
    meta: { width: '150px' },
    cell: ({ row: { original } }) => (
      <span title={original.devices.join('\n')}>
        {original.devices.length === 1 ? original.devices[0] : exact(original.devices.length)}
      </span>
    ),
  },
  { id: 'alerts', header: 'Alerts', meta: { width: '80px', numeric: true }, cell: ({ row }) => exact(row.original.alertCount) },
  {
    id: 'status',
    header: 'Status',
    meta: { width: '90px' },
    cell: ({ row }) => <IncidentStatusBadge status={row.original.status} />,
  },
  {
    id: 'owner',
    header: 'Owner',
    meta: { width: '120px', widestOnly: true },
    cell: ({ row }) => <span title={row.original.owner}>{row.original.owner}</span>,
  },
  {
    id: 'updated',
    header: 'Changed',
    meta: { width: '140px' },
    cell: ({ row }) => <TimeText relative value={row.original.updatedTime} />,
  },
];

interface IncidentTableProps {
  incidents: readonly Incident[];
  stale?: boolean;
  more?: { load(): void; loading: boolean; label: string };
}

export function IncidentTable({ incidents, ...rest }: IncidentTableProps) {
  return (
    <ListTable<Incident>
      label="Incidents"
      columns={kColumns}
      rows={incidents}
      rowId={({ id }) => id}
      rowPath={({ number }) => incidentPath(number)}
      {...rest}
    />
  );
}
