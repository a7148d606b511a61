import { Field, Input, Textarea } from '@fluentui/react-components';
import { useState } from 'react';
import { useExempt } from '@/api/queries';
import { useNotifications } from '@/app/notifications';
import { FormDialog } from '@/parts/form-dialog';

/** Midnight UTC after the chosen day: that day is still covered. */
function endOf(day: string): string | undefined {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : new Date(time + 86_400_000).toISOString();
}

export function ExemptDialog({ onClose }: { onClose(): void }) {
  const [type, setType] = useState('');
  const [deviceId, setDeviceId] = useState('');
  const [group, setGroup] = useState('');
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const exempt = useExempt();
  const { done } = useNotifications();
  const submit = () =>
    exempt.mutate(
      {
        type: type.trim(),
        reason: reason.trim(),
        ...(deviceId.trim() ? { deviceId: deviceId.trim() } : {}),
        ...(group.trim() ? { group: group.trim() } : {}),
        ...(endOf(until) ? { until: endOf(until) } : {}),
      },
      {
        onSuccess: () => {
          done(`${type.trim()} is exempt`);
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title="Exempt a recommendation"
      submitLabel="Exempt"
      invalid={type.trim() === '' || reason.trim() === ''}
      pending={exempt.isPending}
      error={exempt.error}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Type" required hint="Such as IoT_OpenPorts or IoT_CISBenchmarks_PKT-FS-001">
        <Input value={type} maxLength={160} onChange={(_, data) => setType(data.value)} />
      </Field>
      <Field label="Device" hint="Empty: not one device only.">
        <Input value={deviceId} maxLength={128} onChange={(_, data) => setDeviceId(data.value)} />
      </Field>
      <Field label="Security group" hint="Empty: not one group only.">
        <Input value={group} maxLength={128} onChange={(_, data) => setGroup(data.value)} />
      </Field>
      <Field label="Reason" required>
        <Textarea value={reason} maxLength={1024} onChange={(_, data) => setReason(data.value)} />
      </Field>
      <Field label="Until" hint="The last day, UTC. Empty: for good.">
        <Input type="date" value={until} onChange={(_, data) => setUntil(data.value)} />
      </Field>
    </FormDialog>
  );
}
