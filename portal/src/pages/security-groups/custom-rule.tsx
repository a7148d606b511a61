/** One custom alert: on or off, and what is usual. */
import { Field, Input, makeStyles, Switch, Textarea, tokens } from '@fluentui/react-components';
import { kWindows, problemOf, type RuleForm } from '@/format/groups';
import { Muted } from '@/parts/page';
import { Pick } from '@/parts/pick';

const useStyles = makeStyles({
  rule: {
    padding: '8px 0 10px',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    ':last-child': { borderBottom: 'none' },
  },
  about: { paddingLeft: '56px', '@media (max-width: 600px)': { paddingLeft: 0 } },
  fields: { display: 'flex', gap: '12px', flexWrap: 'wrap', marginTop: '8px' },
  number: { width: '130px' },
  input: { width: '100%', minWidth: 0 },
  window: { width: '160px' },
  values: { flexGrow: 1, maxWidth: '520px', '& textarea': { fontFamily: tokens.fontFamilyMonospace } },
});

interface CustomRuleProps {
  rule: RuleForm;
  readOnly: boolean;
  onChange(rule: RuleForm): void;
}

export function CustomRule({ rule, readOnly, onChange }: CustomRuleProps) {
  const styles = useStyles();
  return (
    <li className={styles.rule}>
      <Switch
        label={rule.name}
        checked={rule.enabled}
        disabled={readOnly}
        onChange={(_, data) => onChange({ ...rule, enabled: data.checked })}
      />
      <div className={styles.about}>
        <Muted>{rule.description}</Muted>
        {rule.enabled && <Usual rule={rule} readOnly={readOnly} onChange={onChange} />}
      </div>
    </li>
  );
}

function Usual({ rule, readOnly, onChange }: CustomRuleProps) {
  const styles = useStyles();
  const problem = problemOf(rule);
  const { window, values } = rule;
  if (window) {
    const sizes = kWindows.some(([size]) => size === window.size) ? kWindows : [...kWindows, [window.size, window.size] as const];
    const set = (change: Partial<typeof window>) => onChange({ ...rule, window: { ...window, ...change } });
    const number = (label: string, key: 'minimum' | 'maximum') => (
      <Field label={label} className={styles.number} validationMessage={key === 'maximum' ? problem || undefined : undefined}>
        <Input
          className={styles.input}
          type="number"
          min={0}
          value={window[key]}
          readOnly={readOnly}
          onChange={(_, data) => set({ [key]: data.value })}
        />
      </Field>
    );
    return (
      <div className={styles.fields} role="group" aria-label={rule.name}>
        {number('At least', 'minimum')}
        {number('At most', 'maximum')}
        <div className={styles.window}>
          <Pick label="In" value={window.size} options={sizes} onPick={(size) => !readOnly && set({ size })} />
        </div>
      </div>
    );
  }
  if (!values) return null;
  return (
    <div className={styles.fields} role="group" aria-label={rule.name}>
      <Field
        className={styles.values}
        label={values.networks ? 'Allowed networks' : 'Allowed'}
        hint={values.networks ? 'One a line, such as 192.0.2.0/24.' : 'One a line. Empty: nothing is allowed.'}
        validationMessage={problem || undefined}
      >
        <Textarea
          value={values.text}
          rows={4}
          resize="vertical"
          spellCheck={false}
          readOnly={readOnly}
          onChange={(_, data) => onChange({ ...rule, values: { ...values, text: data.value } })}
        />
      </Field>
    </div>
  );
}
