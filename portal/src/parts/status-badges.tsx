/** States of alerts and devices as small labels. */
import { Badge } from '@fluentui/react-components';
import { CheckmarkCircle12Filled, CircleOff16Filled, Clock12Regular, PlugDisconnected16Regular } from '@fluentui/react-icons';
import type { AlertStatus, DeviceSummary } from '@/api/types';

const kAlertColors = { New: 'danger', Active: 'warning', Resolved: 'success', Dismissed: 'subtle' } as const;

export function AlertStatusBadge({ status }: { status: AlertStatus }) {
  return (
    <Badge appearance="tint" color={kAlertColors[status]}>
      {status}
    </Badge>
  );
}

/** One label for what matters most about a device: disabled, then whether it reports. */
export function DeviceStateBadge({ device }: { device: Pick<DeviceSummary, 'status' | 'reporting'> }) {
  if (device.status === 'disabled')
    return (
      <Badge appearance="tint" color="informative" icon={<CircleOff16Filled />}>
        Disabled
      </Badge>
    );
  if (device.reporting === 'reporting')
    return (
      <Badge appearance="tint" color="success" icon={<CheckmarkCircle12Filled />}>
        Reporting
      </Badge>
    );
  if (device.reporting === 'silent')
    return (
      <Badge appearance="tint" color="warning" icon={<Clock12Regular />}>
        Silent
      </Badge>
    );
  return (
    <Badge appearance="tint" color="subtle" icon={<PlugDisconnected16Regular />}>
      Never reported
    </Badge>
  );
}
