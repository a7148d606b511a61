/** The fields of a workbook's parameters. */
import { Field, makeStyles } from '@fluentui/react-components';
import type { ParametersItem } from '@/format/workbook/model';
import { Notes } from './item-list';
import { ParameterField } from './parameter-field';

const useStyles = makeStyles({
  bar: { display: 'flex', flexWrap: 'wrap', gap: '12px', alignItems: 'flex-end' },
  field: { minWidth: '160px', maxWidth: '340px' },
});

export function ParameterBar({ item }: { item: ParametersItem }) {
  const styles = useStyles();
  return (
    <>
      {item.parameters.map(({ path }) => (
        <Notes key={path} path={path} />
      ))}
      <div className={styles.bar} role="group" aria-label="Parameters">
        {item.parameters
          .filter(({ kind, criteria }) => kind !== 'other' && criteria.length === 0)
          .map((parameter) =>
            parameter.hidden ? (
              <ParameterField key={parameter.path} parameter={parameter} />
            ) : (
              <Field
                key={parameter.path}
                className={styles.field}
                label={parameter.label}
                hint={parameter.description || undefined}
                required={parameter.required}
              >
                <ParameterField parameter={parameter} />
              </Field>
            ),
          )}
      </div>
    </>
  );
}
