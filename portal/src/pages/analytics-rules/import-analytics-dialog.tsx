/** Files of rules, chosen or pasted; afterwards what of them is in force. */
import { useState } from 'react';
import { useImportAnalyticsRules } from '@/api/analytics';
import { count } from '@/format/number';
import { CodeField } from '@/parts/code-field';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Outcome, OutcomeDialog } from '@/parts/outcome-dialog';

interface Made {
  imported: string[];
  complaints: string[];
}

export function ImportAnalyticsDialog({ onClose }: { onClose(): void }) {
  const [made, setMade] = useState<Made>();
  if (!made) return <Form onMade={setMade} onClose={onClose} />;
  return (
    <OutcomeDialog title={`${count(made.imported.length, 'rule')} imported`} onClose={onClose}>
      <Outcome complaints={made.complaints}>
        {made.complaints.length === 0 ? 'They run from now on.' : 'Not everything could be used:'}
      </Outcome>
    </OutcomeDialog>
  );
}

function Form({ onMade, onClose }: { onMade(made: Made): void; onClose(): void }) {
  const [text, setText] = useState('');
  const send = useImportAnalyticsRules();
  return (
    <FormDialog
      title="Import analytics rules"
      submitLabel="Import"
      invalid={text.trim() === ''}
      pending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate(text, { onSuccess: (answer) => onMade(answer as Made) })}
      onClose={onClose}
    >
      <FileButton
        label="File of analytics rules"
        accept=".yaml,.yml,.json"
        onFile={(chosen) => void chosen?.text().then(setText)}
      />
      <CodeField
        label="Rules"
        required
        hint="Sentinel's analytic-rule YAML, or an ARM template with alert rules. A rule that is there under the same id is replaced."
        rows={12}
        value={text}
        onChange={setText}
      />
    </FormDialog>
  );
}
