/** Both orders cut or open a device's network, so each says what it does before it is sent. */
import { Dropdown, Field, Input, Option } from '@fluentui/react-components';
import { useState } from 'react';
import { useRespond } from '@/api/queries';
import type { Device } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { readNetworks } from '@/format/response';
import { FormDialog } from '@/parts/form-dialog';

const kAgentModule = 'DefenderIotMicroAgent';
const kDurations = [
  ['900', '15 minutes'],
  ['3600', '1 hour'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
  ['604800', '7 days'],
] as const;

/** The agent is connected as its module, or, where there is none, as the device itself. */
function moduleOf(device: Device): string {
  return device.modules.find(({ moduleId }) => moduleId === kAgentModule)?.moduleId ?? '';
}

interface DialogProps {
  device: Device;
  onClose(): void;
}

export function IsolateDialog({ device, onClose }: DialogProps) {
  const order = useRespond(device.deviceId);
  const { done } = useNotifications();
  const [duration, setDuration] = useState('3600');
  const [allowed, setAllowed] = useState('');
  const networks = readNetworks(allowed);
  const submit = () =>
    order.mutate(
      {
        action: 'isolate',
        module: moduleOf(device),
        arguments: { durationSeconds: Number(duration), ...(networks.length > 0 ? { allow: networks } : {}) },
      },
      {
        onSuccess: () => {
          done(`${device.deviceId} is isolated`);
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title={`Isolate ${device.deviceId}?`}
      submitLabel="Isolate"
      invalid={false}
      pending={order.isPending}
      error={order.error}
      onSubmit={submit}
      onClose={onClose}
    >
      <span>
        All its connections are cut but those to this hub and its name servers. What it does for others stops. It is let go when
        the time is over, by a release here, or by root on the device.
      </span>
      <Field label="For">
        <Dropdown
          value={kDurations.find(([seconds]) => seconds === duration)?.[1] ?? ''}
          selectedOptions={[duration]}
          onOptionSelect={(_, data) => setDuration(data.optionValue ?? duration)}
        >
          {kDurations.map(([seconds, name]) => (
            <Option key={seconds} value={seconds}>
              {name}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <Field label="May still talk to" hint="Addresses and networks such as 192.0.2.0/24, with commas. May stay empty.">
        <Input value={allowed} onChange={(_, data) => setAllowed(data.value)} />
      </Field>
    </FormDialog>
  );
}

export function ReleaseDialog({ device, onClose }: DialogProps) {
  const order = useRespond(device.deviceId);
  const { done } = useNotifications();
  const submit = () =>
    order.mutate(
      { action: 'release', module: moduleOf(device), arguments: {} },
      {
        onSuccess: () => {
          done(`${device.deviceId} is released`);
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title={`Release ${device.deviceId}?`}
      submitLabel="Release"
      invalid={false}
      pending={order.isPending}
      error={order.error}
      onSubmit={submit}
      onClose={onClose}
    >
      <span>Everything that its own firewall allows reaches it again, and it reaches everything.</span>
    </FormDialog>
  );
}
