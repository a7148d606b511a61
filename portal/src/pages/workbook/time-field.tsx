/** A time range: back from now, or between two times of one's own. */
import { Dropdown, Field, Input, Option } from '@fluentui/react-components';
import { useState } from 'react';
import { durationLabel, isTime, timeLabel, type Chosen } from '@/format/workbook/choices';
import type { Parameter } from '@/format/workbook/model';
import { FormDialog } from '@/parts/form-dialog';

const kUsual = [3_600_000, 14_400_000, 86_400_000, 259_200_000, 604_800_000, 2_592_000_000];
const kCustom = 'custom';

interface TimeFieldProps {
  parameter: Parameter;
  chosen: Chosen | undefined;
  onChoose(chosen: Chosen): void;
}

export function TimeField({ parameter, chosen, onChoose, ...rest }: TimeFieldProps) {
  const [asking, setAsking] = useState(false);
  const durations = parameter.durations.length > 0 ? parameter.durations : kUsual;
  const current = isTime(chosen) ? chosen : undefined;
  return (
    <>
      <Dropdown
        {...rest}
        value={current ? timeLabel(current) : ''}
        selectedOptions={[current && 'durationMs' in current ? String(current.durationMs) : kCustom]}
        onOptionSelect={(_, data) => {
          if (data.optionValue === kCustom) setAsking(true);
          else if (data.optionValue) onChoose({ durationMs: Number(data.optionValue) });
        }}
      >
        {durations.map((durationMs) => (
          <Option key={durationMs} value={String(durationMs)}>
            {durationLabel(durationMs)}
          </Option>
        ))}
        {parameter.allowCustom && <Option value={kCustom}>Between two times…</Option>}
      </Dropdown>
      {asking && (
        <Between
          onChoose={(range) => {
            onChoose(range);
            setAsking(false);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Between({ onChoose, onClose }: { onChoose(chosen: Chosen): void; onClose(): void }) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const valid = from !== '' && to !== '' && from < to;
  return (
    <FormDialog
      title="Between two times"
      submitLabel="Choose"
      invalid={!valid}
      pending={false}
      error={null}
      onSubmit={() => onChoose({ startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() })}
      onClose={onClose}
    >
      <Field label="From" required hint="In your time zone">
        <Input type="datetime-local" value={from} onChange={(_, data) => setFrom(data.value)} />
      </Field>
      <Field label="To" required validationMessage={from && to && !valid ? 'This is not after the first.' : undefined}>
        <Input type="datetime-local" value={to} onChange={(_, data) => setTo(data.value)} />
      </Field>
    </FormDialog>
  );
}
