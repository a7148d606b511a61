/** A file of Sigma rules, chosen or written here; afterwards what of it is in force. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  Input,
  makeStyles,
  MessageBar,
  MessageBarBody,
  Textarea,
  tokens,
} from '@fluentui/react-components';
import { useRef, useState } from 'react';
import { useImportRules } from '@/api/queries';
import type { RuleImport } from '@/api/types';
import { count } from '@/format/number';
import { ruleFileName } from '@/format/rules';
import { FormDialog } from '@/parts/form-dialog';

const useStyles = makeStyles({
  text: { '& textarea': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, minHeight: '220px' } },
  complaints: { margin: 0, paddingLeft: '20px', maxHeight: '240px', overflowY: 'auto', overflowWrap: 'anywhere' },
  hidden: { display: 'none' },
});

export function ImportDialog({ onClose }: { onClose(): void }) {
  const [made, setMade] = useState<RuleImport>();
  return made ? <Outcome made={made} onClose={onClose} /> : <Form onMade={setMade} onClose={onClose} />;
}

function Form({ onMade, onClose }: { onMade(made: RuleImport): void; onClose(): void }) {
  const styles = useStyles();
  const file = useRef<HTMLInputElement>(null);
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
      <input
        ref={file}
        className={styles.hidden}
        type="file"
        accept=".yml,.yaml"
        aria-label="File of rules"
        onChange={(event) => void take(event.target.files?.[0])}
      />
      <Button onClick={() => file.current?.click()}>Choose a file…</Button>
      <Field label="Name" required hint="A file that is there under this name is replaced.">
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label="Rules in Sigma" required hint="One YAML document or several: rules, correlations, filters.">
        <Textarea className={styles.text} value={text} onChange={(_, data) => setText(data.value)} resize="vertical" />
      </Field>
    </FormDialog>
  );
}

function Outcome({ made, onClose }: { made: RuleImport; onClose(): void }) {
  const styles = useStyles();
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{made.name} was imported</DialogTitle>
          <DialogContent>
            <MessageBar intent={made.complaints.length > 0 ? 'warning' : 'success'} layout="multiline">
              <MessageBarBody>
                {count(made.documents, 'document')} can be used.
                {made.complaints.length > 0 && (
                  <ul className={styles.complaints}>
                    {made.complaints.map((complaint) => (
                      <li key={complaint}>{complaint}</li>
                    ))}
                  </ul>
                )}
              </MessageBarBody>
            </MessageBar>
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
