/** States and kinds of incidents as small labels. */
import { Badge } from '@fluentui/react-components';
import type { Incident, IncidentStatus } from '@/api/types';

export const incidentPath = (number: number) => `/incidents/${number}`;

const kColors = { New: 'danger', Active: 'warning', Closed: 'success' } as const;

export function IncidentStatusBadge({ status }: { status: IncidentStatus }) {
  return (
    <Badge appearance="tint" color={kColors[status]}>
      {status}
    </Badge>
  );
}

export const kIncidentKinds: Record<Incident['kind'], string> = {
  device: 'One device',
  campaign: 'Campaign',
  rule: 'Analytics rule',
};
