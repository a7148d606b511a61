/** A file of workbooks, chosen or pasted; afterwards what of it is shown and runs. */
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
import { Link } from 'react-router-dom';
import { useImportWorkbooks, type WorkbookCheck } from '@/api/workbooks';
import { count } from '@/format/number';
import { FormDialog } from '@/parts/form-dialog';

const useStyles = makeStyles({
  text: { '& textarea': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, minHeight: '200px' } },
  list: { margin: '4px 0 0', paddingLeft: '20px', maxHeight: '260px', overflowY: 'auto', overflowWrap: 'anywhere' },
  hidden: { display: 'none' },
  outcome: { display: 'flex', flexDirection: 'column', gap: '10px' },
});

export function ImportWorkbookDialog({ onClose }: { onClose(): void }) {
  const [made, setMade] = useState<WorkbookCheck[]>();
  return made ? <Outcome made={made} onClose={onClose} /> : <Form onMade={setMade} onClose={onClose} />;
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
  const styles = useStyles();
  const chooser = useRef<HTMLInputElement>(null);
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
      <input
        ref={chooser}
        className={styles.hidden}
        type="file"
        accept=".json,.workbook"
        aria-label="File of a workbook"
        onChange={(event) => void take(event.target.files?.[0])}
      />
      <Button onClick={() => chooser.current?.click()}>Choose a file…</Button>
      <Field label="Name" hint="For a workbook whose file has no name. One of that name is replaced.">
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field
        label="Workbook"
        required
        hint="Azure Workbook JSON, a workbook resource, or an ARM template that holds workbooks."
        validationMessage={text.trim() && !file ? 'This is not a JSON object.' : undefined}
      >
        <Textarea className={styles.text} value={text} onChange={(_, data) => setText(data.value)} resize="vertical" />
      </Field>
    </FormDialog>
  );
}

function Outcome({ made, onClose }: { made: WorkbookCheck[]; onClose(): void }) {
  const styles = useStyles();
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{count(made.length, 'workbook')} imported</DialogTitle>
          <DialogContent className={styles.outcome}>
            {made.map((one) => (
              <MessageBar key={one.name} intent={one.problems.length > 0 ? 'warning' : 'success'} layout="multiline">
                <MessageBarBody>
                  <Link to={`/workbooks/${encodeURIComponent(one.name)}`}>{one.name}</Link>:{' '}
                  {count(one.queries, 'query', 'queries')},{' '}
                  {one.problems.length === 0 ? 'all of which can run.' : `${one.problems.length} of which cannot run.`}
                  <ul className={styles.list}>
                    {one.problems.map((problem) => (
                      <li key={problem.path}>
                        {problem.title || problem.path}: {problem.message}
                      </li>
                    ))}
                    {one.notes.map((note) => (
                      <li key={note.path + note.construct}>
                        Not shown: {note.construct} at {note.path}. {note.message}
                      </li>
                    ))}
                  </ul>
                </MessageBarBody>
              </MessageBar>
            ))}
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
