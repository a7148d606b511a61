import { Checkbox, Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import { useAddIndicator } from '@/api/intelligence';
import { useNotifications } from '@/app/notifications';
import { endOfDay } from '@/format/day';
import { DateField } from '@/parts/date-field';
import { FormDialog } from '@/parts/form-dialog';

const kTextMax = 512;

export function IndicatorDialog({ onClose }: { onClose(): void }) {
  const [value, setValue] = useState('');
  const [confidence, setConfidence] = useState('100');
  const [allowed, setAllowed] = useState(false);
  const [threat, setThreat] = useState('');
  const [reference, setReference] = useState('');
  const [until, setUntil] = useState('');
  const add = useAddIndicator();
  const { done, failed } = useNotifications();
  const fits = /^\d{1,3}$/.test(confidence) && Number(confidence) >= 1 && Number(confidence) <= 100;
  const submit = () =>
    add.mutate(
      {
        value: value.trim(),
        confidence: Number(confidence),
        allowed,
        ...(threat.trim() ? { threat: threat.trim() } : {}),
        ...(reference.trim() ? { reference: reference.trim() } : {}),
        ...(endOfDay(until) ? { until: endOfDay(until) } : {}),
      },
      {
        onSuccess: ({ value: taken, warningList }) => {
          if (warningList && !allowed)
            failed(`${taken} raises nothing`, new Error(`The warning list ${warningList} speaks for it.`));
          else done(`${taken} counts from the next set on`);
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title="Add an indicator"
      submitLabel="Add"
      invalid={value.trim() === '' || !fits}
      pending={add.isPending}
      error={add.error}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Address, network, name, URL, path or hash" required>
        <Input
          value={value}
          maxLength={2048}
          spellCheck={false}
          autoComplete="off"
          onChange={(_, data) => setValue(data.value)}
        />
      </Field>
      <Checkbox
        label="Never an indicator: nothing that feeds say of it counts here"
        checked={allowed}
        onChange={(_, data) => setAllowed(data.checked === true)}
      />
      {!allowed && (
        <>
          <Field
            label="Confidence"
            hint="1 to 100; from 90 on its alerts are High."
            validationMessage={fits ? undefined : '1 to 100.'}
          >
            <Input type="number" min={1} max={100} value={confidence} onChange={(_, data) => setConfidence(data.value)} />
          </Field>
          <Field label="Threat">
            <Input value={threat} maxLength={kTextMax} onChange={(_, data) => setThreat(data.value)} />
          </Field>
        </>
      )}
      <Field label="Reference">
        <Input value={reference} maxLength={kTextMax} onChange={(_, data) => setReference(data.value)} />
      </Field>
      <DateField label="Until" hint="The last day, UTC. Empty: for good." value={until} onChange={setUntil} />
    </FormDialog>
  );
}
