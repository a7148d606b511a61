/** A text area for YAML, JSON or a query, with what is wrong with it said below. */
import { Field, makeStyles, Textarea, tokens } from '@fluentui/react-components';

const useStyles = makeStyles({
  text: { '& textarea': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 } },
});

interface CodeFieldProps {
  label: string;
  hint?: string;
  value: string;
  problem?: string | undefined;
  required?: boolean;
  rows?: number;
  onChange(value: string): void;
}

export function CodeField({ label, hint, value, problem, required = false, rows = 8, onChange }: CodeFieldProps) {
  const styles = useStyles();
  return (
    <Field label={label} hint={hint} required={required} validationMessage={problem}>
      <Textarea
        className={styles.text}
        resize="vertical"
        spellCheck={false}
        rows={rows}
        value={value}
        onChange={(_, data) => onChange(data.value)}
      />
    </Field>
  );
}
