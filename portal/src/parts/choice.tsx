/** A filter that is one of a few values, or none of them. */
import { Dropdown, makeStyles, Option } from '@fluentui/react-components';

const useStyles = makeStyles({ dropdown: { minWidth: '150px' } });

interface ChoiceProps {
  label: string;
  value: string;
  /** What no choice is called. */
  all: string;
  options: readonly (readonly [string, string])[];
  onChoose(value: string): void;
}

export function Choice({ label, value, all, options, onChoose }: ChoiceProps) {
  const styles = useStyles();
  const text = options.find(([option]) => option === value)?.[1] ?? all;
  return (
    <Dropdown
      className={styles.dropdown}
      aria-label={label}
      value={text}
      selectedOptions={[value]}
      onOptionSelect={(_, data) => onChoose(data.optionValue ?? '')}
    >
      <Option value="">{all}</Option>
      {options.map(([option, name]) => (
        <Option key={option} value={option}>
          {name}
        </Option>
      ))}
    </Dropdown>
  );
}
