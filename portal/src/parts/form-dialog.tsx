/** A dialog that sends something to the device: fields, what the server said against it, and two buttons. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  makeStyles,
  MessageBar,
  MessageBarBody,
  Spinner,
} from '@fluentui/react-components';
import type { FormEvent, ReactNode } from 'react';

const useStyles = makeStyles({ form: { display: 'flex', flexDirection: 'column', gap: '12px', paddingTop: '4px' } });

interface FormDialogProps {
  title: string;
  submitLabel: string;
  closeLabel?: string;
  /** What is written cannot be sent. */
  invalid: boolean;
  pending: boolean;
  error: Error | null;
  onSubmit(): void;
  onClose(): void;
  children: ReactNode;
}

export function FormDialog({ title, submitLabel, closeLabel = 'Cancel', invalid, pending, error, ...rest }: FormDialogProps) {
  const styles = useStyles();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!invalid && !pending) rest.onSubmit();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && rest.onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent className={styles.form}>
              {rest.children}
              {error && (
                <MessageBar intent="error" layout="multiline" role="alert">
                  <MessageBarBody>{error.message}</MessageBarBody>
                </MessageBar>
              )}
            </DialogContent>
            <DialogActions>
              <Button onClick={rest.onClose}>{closeLabel}</Button>
              <Button
                appearance="primary"
                type="submit"
                disabled={invalid || pending}
                icon={pending ? <Spinner size="tiny" /> : undefined}
              >
                {submitLabel}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
