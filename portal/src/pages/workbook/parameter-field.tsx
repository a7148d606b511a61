/** One parameter: a text, a choice of listed or asked-for options, a time range. A hidden one is asked for and not drawn. */
import { Dropdown, Input, Option as DropdownOption } from '@fluentui/react-components';
import { useEffect, useMemo, useState } from 'react';
import { useWorkbookRun } from '@/api/workbooks';
import { allOf, defaultOf, neededBy, optionsOf, unsetOf, valuesFor, valuesOf, type Chosen } from '@/format/workbook/choices';
import type { Option, Parameter } from '@/format/workbook/model';
import { useWorkbookState } from './context';
import { TimeField } from './time-field';

/** Fluent passes what Field adds (id, aria-required) on to the one control within. */
interface FieldProps {
  parameter: Parameter;
}

export function ParameterField({ parameter, ...rest }: FieldProps) {
  if (parameter.query !== '') return <AskedField parameter={parameter} {...rest} />;
  return <Control parameter={parameter} options={parameter.options} {...rest} />;
}

function AskedField({ parameter, ...rest }: FieldProps) {
  const { name, parameters, known, choices, choose } = useWorkbookState();
  const needed = useMemo(
    () => neededBy(parameter.query, parameter.timeParameter, parameters, known).filter((one) => one !== parameter.name),
    [parameter, parameters, known],
  );
  const ready = unsetOf(needed, parameters, choices) === undefined;
  const { data, error, isFetching } = useWorkbookRun(name, parameter.path, valuesFor(needed, choices), ready);
  const options = useMemo(() => (data ? optionsOf(data) : []), [data]);
  const current = choices[parameter.name];

  useEffect(() => {
    if (!data && !error) return;
    if (parameter.kind === 'text') {
      const value = options[0]?.value ?? '';
      if (valuesOf(current)[0] !== value) choose(parameter.name, { values: value ? [value] : [] }, false);
      return;
    }
    // "All" of a list that has changed is all of the new one.
    const again = current !== undefined && 'values' in current && current.all === true && parameter.allValue === undefined;
    if (current !== undefined && !again) return;
    const next = again ? allOf(parameter, options) : (defaultOf(parameter, options) ?? { values: [] });
    if (valuesOf(current).join('\n') !== valuesOf(next).join('\n') || current === undefined) choose(parameter.name, next, false);
  }, [data, error, options, parameter, current, choose]);

  return (
    <Control
      parameter={parameter}
      options={options}
      placeholder={error ? error.message : isFetching && options.length === 0 ? 'Loading…' : undefined}
      {...rest}
    />
  );
}

interface ControlProps extends FieldProps {
  options: readonly Option[];
  placeholder?: string;
}

function Control({ parameter, options, placeholder, ...rest }: ControlProps) {
  const { choices, choose } = useWorkbookState();
  if (parameter.hidden) return null;
  const current = choices[parameter.name];
  const pick = (chosen: Chosen) => choose(parameter.name, chosen, true);
  if (parameter.kind === 'time') return <TimeField parameter={parameter} chosen={current} onChoose={pick} {...rest} />;
  if (parameter.kind === 'text') return <TextField value={valuesOf(current)[0] ?? ''} onChoose={pick} {...rest} />;
  return (
    <ChoiceField parameter={parameter} options={options} chosen={current} placeholder={placeholder} onChoose={pick} {...rest} />
  );
}

/** Asks again when one has finished typing, not with each letter. */
function TextField({ value, onChoose, ...rest }: { value: string; onChoose(chosen: Chosen): void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = () => {
    if (text !== value) onChoose({ values: text ? [text] : [] });
  };
  return (
    <Input
      {...rest}
      value={text}
      onChange={(_, data) => setText(data.value)}
      onBlur={done}
      onKeyDown={(event) => event.key === 'Enter' && done()}
    />
  );
}

const kAll = 'value::all';

interface ChoiceFieldProps extends ControlProps {
  chosen: Chosen | undefined;
  onChoose(chosen: Chosen): void;
}

function ChoiceField({ parameter, options, chosen, placeholder, onChoose, ...rest }: ChoiceFieldProps) {
  const values = valuesOf(chosen);
  const all = chosen !== undefined && 'values' in chosen && chosen.all === true;
  const labelOf = (value: string) => options.find((option) => option.value === value)?.label ?? value;
  const text = all ? 'All' : values.map(labelOf).join(', ');
  return (
    <Dropdown
      {...rest}
      multiselect={parameter.several}
      placeholder={placeholder ?? 'None'}
      value={text}
      selectedOptions={all ? [kAll] : [...values]}
      onOptionSelect={(_, data) => {
        if (data.optionValue === undefined) return;
        if (data.optionValue === kAll) return onChoose(all && parameter.several ? { values: [] } : allOf(parameter, options));
        const next = parameter.several ? data.selectedOptions.filter((value) => value !== kAll) : [data.optionValue];
        onChoose({ values: next, labels: next.map(labelOf) });
      }}
    >
      {parameter.offersAll && (
        <DropdownOption key={kAll} value={kAll}>
          All
        </DropdownOption>
      )}
      {options.map((option) => (
        <DropdownOption key={option.value} value={option.value}>
          {option.label || '(empty)'}
        </DropdownOption>
      ))}
    </Dropdown>
  );
}
