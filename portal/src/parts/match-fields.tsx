/** What a suppression rule asks for: all that is filled in must match. */
import { Dropdown, Field, Input, makeStyles, Option, OptionGroup } from '@fluentui/react-components';
import type { SuppressionMatch } from '@/api/types';
import type { Choosable } from '@/format/suppression';

const useStyles = makeStyles({
  grid: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(200px, 1fr))', gap: '12px' },
  dropdown: { minWidth: 0, width: '100%' },
});

const kTextMax = 512;
const kPlain = [
  ['type', 'Alert type'],
  ['rule', 'Rule'],
  ['device', 'Device'],
  ['group', 'Security group'],
] as const;

interface MatchFieldsProps {
  match: SuppressionMatch;
  onMatch(match: SuppressionMatch): void;
  /** Of the alert that the rule is made from. */
  entities?: readonly Choosable[];
  fields?: readonly Choosable[];
}

/** What of the alert can be taken over with one choice. */
function FromAlert({ entities = [], fields = [], match, onMatch }: MatchFieldsProps) {
  const styles = useStyles();
  if (entities.length + fields.length === 0) return null;
  const key = (one: Choosable) => `${one.match.entity ? 'entity' : 'field'}\n${one.key}`;
  const all = [...entities, ...fields];
  const options = (items: readonly Choosable[]) =>
    items.map((one) => (
      <Option key={key(one)} value={key(one)} text={`${one.label}: ${one.value}`}>
        {`${one.label}: ${one.value}`}
      </Option>
    ));
  return (
    <Field label="Take from the alert" hint="Makes the rule narrower: an address, a user, a command line.">
      <Dropdown
        className={styles.dropdown}
        placeholder="Nothing more"
        selectedOptions={[]}
        onOptionSelect={(_, data) => {
          const chosen = all.find((one) => key(one) === data.optionValue);
          if (chosen) onMatch({ ...match, ...chosen.match });
        }}
      >
        {entities.length > 0 && <OptionGroup label="Entities">{options(entities)}</OptionGroup>}
        {fields.length > 0 && <OptionGroup label="Properties">{options(fields)}</OptionGroup>}
      </Dropdown>
    </Field>
  );
}

export function MatchFields(props: MatchFieldsProps) {
  const styles = useStyles();
  const { match, onMatch } = props;
  const text = (label: string, value: string | undefined, set: (value: string) => SuppressionMatch) => (
    <Field key={label} label={label}>
      <Input value={value ?? ''} maxLength={kTextMax} onChange={(_, data) => onMatch({ ...match, ...set(data.value) })} />
    </Field>
  );
  const { entity, field } = match;
  return (
    <>
      <FromAlert {...props} />
      <div className={styles.grid}>
        {kPlain.map(([name, label]) => text(label, match[name], (value) => ({ [name]: value })))}
        {text('Entity type', entity?.type, (type) => ({ entity: { ...entity, type } }))}
        {text('Entity value', entity?.value, (value) => ({ entity: { ...entity, value } }))}
        {text('Property', field?.name, (name) => ({ field: { ...field, name } }))}
        {text('Value of the property', field?.value, (value) => ({ field: { ...field, value } }))}
      </div>
    </>
  );
}
