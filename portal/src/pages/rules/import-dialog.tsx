/** A file of Sigma rules, chosen or written here; afterwards what of it is in force. */
import { Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import { useImportRules } from '@/api/queries';
import type { RuleImport } from '@/api/types';
import { count } from '@/format/number';
import { ruleFileName } from '@/format/rules';
import { CodeField } from '@/parts/code-field';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Outcome, OutcomeDialog } from '@/parts/outcome-dialog';

export function ImportDialog({ onClose }: { onClose(): void }) {
  const [made, setMade] = useState<RuleImport>();
  if (!made) return <Form onMade={setMade} onClose={onClose} />;
  return (
    <OutcomeDialog title={`${made.name} was imported`} onClose={onClose}>
      <Outcome complaints={made.complaints}>{count(made.documents, 'document')} can be used.</Outcome>
    </OutcomeDialog>
  );
}

function Form({ onMade, onClose }: { onMade(made: RuleImport): void; onClose(): void }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const send = useImportRules();
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    setName(ruleFileName(chosen.name));
    setText(await chosen.text());
  };
  return (
    <FormDialog
      title="Import rules"
      submitLabel="Import"
      invalid={name.trim() === '' || text.trim() === ''}
      pending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate({ name: ruleFileName(name.trim()), yaml: text }, { onSuccess: onMade })}
      onClose={onClose}
    >
      <FileButton label="File of rules" accept=".yml,.yaml" onFile={(file) => void take(file)} />
      <Field label="Name" required hint="A file that is there under this name is replaced.">
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
      <CodeField
        label="Rules in Sigma"
        required
        hint="One YAML document or several: rules, correlations, filters."
        rows={12}
        value={text}
        onChange={setText}
      />
    </FormDialog>
  );
}
