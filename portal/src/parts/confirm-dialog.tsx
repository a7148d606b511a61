/** Asks before something goes away. */
import type { ReactNode } from 'react';
import { FormDialog } from './form-dialog';

interface ConfirmDialogProps {
  title: string;
  confirmLabel: string;
  pending: boolean;
  error: Error | null;
  onConfirm(): void;
  onClose(): void;
  /** What happens then. */
  children: ReactNode;
}

export function ConfirmDialog({ confirmLabel, onConfirm, ...rest }: ConfirmDialogProps) {
  return <FormDialog submitLabel={confirmLabel} invalid={false} onSubmit={onConfirm} {...rest} />;
}
