/** A day after which something ends. */
import { Field, Input } from '@fluentui/react-components';

interface DateFieldProps {
  label: string;
  hint?: string;
  /** `2026-11-22`, or empty. */
  value: string;
  onChange(day: string): void;
}

export function DateField({ label, hint, value, onChange }: DateFieldProps) {
  return (
    <Field label={label} hint={hint}>
      <Input type="date" value={value} onChange={(_, data) => onChange(data.value)} />
    </Field>
  );
}
