/** A file of workbooks, chosen or pasted; afterwards what of it is shown and runs. */
import { Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useImportWorkbooks, type WorkbookCheck } from '@/api/workbooks';
import { count } from '@/format/number';
import { CodeField } from '@/parts/code-field';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Outcome, OutcomeDialog } from '@/parts/outcome-dialog';

export function ImportWorkbookDialog({ onClose }: { onClose(): void }) {
  const [made, setMade] = useState<WorkbookCheck[]>();
  if (!made) return <Form onMade={setMade} onClose={onClose} />;
  return (
    <OutcomeDialog title={`${count(made.length, 'workbook')} imported`} onClose={onClose}>
      {made.map((one) => (
        <Outcome key={one.name} warn={one.problems.length > 0} complaints={complaintsOf(one)}>
          <Link to={`/workbooks/${encodeURIComponent(one.name)}`}>{one.name}</Link>: {count(one.queries, 'query', 'queries')},{' '}
          {one.problems.length === 0 ? 'all of which can run.' : `${one.problems.length} of which cannot run.`}
        </Outcome>
      ))}
    </OutcomeDialog>
  );
}

function complaintsOf({ problems, notes }: WorkbookCheck): string[] {
  return [
    ...problems.map(({ title, path, message }) => `${title || path}: ${message}`),
    ...notes.map(({ construct, path, message }) => `Not shown: ${construct} at ${path}. ${message}`),
  ];
}

/** undefined: not an object of JSON. */
function parsed(text: string): Record<string, never> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, never>) : undefined;
  } catch {
    return undefined;
  }
}

function Form({ onMade, onClose }: { onMade(made: WorkbookCheck[]): void; onClose(): void }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const send = useImportWorkbooks();
  const file = text.trim() ? parsed(text) : undefined;
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    setName(chosen.name.replace(/\.(json|workbook)$/i, ''));
    setText(await chosen.text());
  };
  return (
    <FormDialog
      title="Import a workbook"
      submitLabel="Import"
      invalid={!file}
      pending={send.isPending}
      error={send.error}
      onSubmit={() => file && send.mutate({ name: name.trim(), file }, { onSuccess: (answer) => onMade(answer.imported) })}
      onClose={onClose}
    >
      <FileButton label="File of a workbook" accept=".json,.workbook" onFile={(chosen) => void take(chosen)} />
      <Field label="Name" hint="For a workbook whose file has no name. One of that name is replaced.">
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
      <CodeField
        label="Workbook"
        required
        hint="Azure Workbook JSON, a workbook resource, or an ARM template that holds workbooks."
        problem={text.trim() && !file ? 'This is not a JSON object.' : undefined}
        rows={12}
        value={text}
        onChange={setText}
      />
    </FormDialog>
  );
}
