/** Keeps the text of the editor as a query, or as a function that every query can call. */
import { Field, Input, Radio, RadioGroup, Textarea } from '@fluentui/react-components';
import { useState } from 'react';
import { useSave, useSaved, type SavedKind } from '@/api/saved';
import { useNotifications } from '@/app/notifications';
import { FormDialog } from '@/parts/form-dialog';

/** The text of a function is "(parameters) { body }"; a plain query becomes one without parameters. */
export function asFunction(text: string): string {
  return /^\s*\(/.test(text) && /\}\s*$/.test(text) ? text : `() {\n${text.trim()}\n}`;
}

export function SaveDialog({ text, onClose }: { text: string; onClose(): void }) {
  const [kind, setKind] = useState<SavedKind>('query');
  const [name, setName] = useState('');
  const [category, setCategory] = useState('');
  const [description, setDescription] = useState('');
  const { data } = useSaved(kind);
  const save = useSave();
  const { done } = useNotifications();
  const trimmed = name.trim();
  const replaces = data?.some((one) => one.name === trimmed) ?? false;
  const badName = kind === 'function' && trimmed !== '' && !/^[A-Za-z_]\w*$/.test(trimmed);
  const order = {
    kind,
    name: trimmed,
    text: kind === 'function' ? asFunction(text) : text,
    category: category.trim(),
    description: description.trim(),
  };
  const saved = () => {
    done(kind === 'query' ? 'Query saved' : 'Function saved');
    onClose();
  };
  return (
    <FormDialog
      title="Save"
      submitLabel={replaces ? 'Replace' : 'Save'}
      invalid={trimmed === '' || badName}
      pending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate(order, { onSuccess: saved })}
      onClose={onClose}
    >
      <Field label="Save as">
        <RadioGroup
          layout="horizontal"
          value={kind}
          onChange={(_, data) => setKind(data.value === 'function' ? 'function' : 'query')}
        >
          <Radio value="query" label="Query" />
          <Radio value="function" label="Function" />
        </RadioGroup>
      </Field>
      <Field
        label="Name"
        required
        hint={kind === 'function' ? 'Queries call it by this name.' : undefined}
        validationState={badName ? 'error' : replaces ? 'warning' : 'none'}
        validationMessage={
          badName
            ? 'A function is called by a name of letters, digits and _.'
            : replaces
              ? 'The one of this name is replaced.'
              : undefined
        }
      >
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label="Category">
        <Input value={category} maxLength={128} onChange={(_, data) => setCategory(data.value)} />
      </Field>
      <Field label="Description">
        <Textarea value={description} maxLength={4096} onChange={(_, data) => setDescription(data.value)} resize="vertical" />
      </Field>
    </FormDialog>
  );
}
