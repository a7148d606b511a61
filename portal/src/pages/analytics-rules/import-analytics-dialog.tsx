/** Files of rules, chosen or pasted; afterwards what of them is in force. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  makeStyles,
  MessageBar,
  MessageBarBody,
  Textarea,
  tokens,
} from '@fluentui/react-components';
import { useRef, useState } from 'react';
import { useImportAnalyticsRules } from '@/api/analytics';
import { count } from '@/format/number';
import { FormDialog } from '@/parts/form-dialog';

const useStyles = makeStyles({
  text: { '& textarea': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, minHeight: '240px' } },
  list: { margin: 0, paddingLeft: '20px', maxHeight: '240px', overflowY: 'auto', overflowWrap: 'anywhere' },
  hidden: { display: 'none' },
});

interface Made {
  imported: string[];
  complaints: string[];
}

export function ImportAnalyticsDialog({ onClose }: { onClose(): void }) {
  const styles = useStyles();
  const chooser = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [made, setMade] = useState<Made>();
  const send = useImportAnalyticsRules();
  if (made) {
    return (
      <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
        <DialogSurface>
          <DialogBody>
            <DialogTitle>{count(made.imported.length, 'rule')} imported</DialogTitle>
            <DialogContent>
              <MessageBar intent={made.complaints.length > 0 ? 'warning' : 'success'} layout="multiline">
                <MessageBarBody>
                  {made.complaints.length === 0 ? 'They run from now on.' : 'Not everything could be used:'}
                  <ul className={styles.list}>
                    {made.complaints.map((complaint) => (
                      <li key={complaint}>{complaint}</li>
                    ))}
                  </ul>
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
  return (
    <FormDialog
      title="Import analytics rules"
      submitLabel="Import"
      invalid={text.trim() === ''}
      pending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate(text, { onSuccess: (answer) => setMade(answer as Made) })}
      onClose={onClose}
    >
      <input
        ref={chooser}
        className={styles.hidden}
        type="file"
        accept=".yaml,.yml,.json"
        aria-label="File of analytics rules"
        onChange={(event) => void event.target.files?.[0]?.text().then(setText)}
      />
      <Button onClick={() => chooser.current?.click()}>Choose a file…</Button>
      <Field
        label="Rules"
        required
        hint="Sentinel's analytic-rule YAML, or an ARM template with alert rules. A rule that is there under the same id is replaced."
      >
        <Textarea className={styles.text} value={text} onChange={(_, data) => setText(data.value)} resize="vertical" />
      </Field>
    </FormDialog>
  );
}
