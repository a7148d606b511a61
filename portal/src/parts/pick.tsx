/** One of a few values in a form. */
import { Dropdown, Field, makeStyles, Option } from '@fluentui/react-components';

const useStyles = makeStyles({ dropdown: { minWidth: 0, width: '100%' } });

interface PickProps {
  label: string;
  value: string;
  none?: string;
  options: readonly (readonly [string, string])[];
  onPick(value: string): void;
}

/** One of a few values; with `none` also no value. */
export function Pick({ label, value, none, options, onPick }: PickProps) {
  const styles = useStyles();
  return (
    <Field label={label}>
      <Dropdown
        className={styles.dropdown}
        value={options.find(([name]) => name === value)?.[1] ?? none ?? value}
        selectedOptions={[value]}
        onOptionSelect={(_, data) => onPick(data.optionValue ?? '')}
      >
        {none !== undefined && <Option value="">{none}</Option>}
        {options.map(([name, text]) => (
          <Option key={name} value={name}>
            {text}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}
