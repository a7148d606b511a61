/** What came of an import: a title, what is said about each part, and Done. */
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
} from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '10px' },
  complaints: { margin: '4px 0 0', paddingLeft: '20px', maxHeight: '260px', overflowY: 'auto', overflowWrap: 'anywhere' },
});

export function OutcomeDialog({ title, onClose, children }: { title: string; onClose(): void; children: ReactNode }) {
  const styles = useStyles();
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent className={styles.content}>{children}</DialogContent>
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

interface OutcomeProps {
  /** Something could not be used, though there may be nothing to list. */
  warn?: boolean;
  /** Keyed by their place: two may say the same. */
  complaints: readonly string[];
  children: ReactNode;
}

export function Outcome({ complaints, warn = complaints.length > 0, children }: OutcomeProps) {
  const styles = useStyles();
  return (
    <MessageBar intent={warn ? 'warning' : 'success'} layout="multiline">
      <MessageBarBody>
        {children}
        {complaints.length > 0 && (
          <ul className={styles.complaints}>
            {complaints.map((complaint, index) => (
              <li key={index}>{complaint}</li>
            ))}
          </ul>
        )}
      </MessageBarBody>
    </MessageBar>
  );
}
