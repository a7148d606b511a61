import { FormDialog } from '@/parts/form-dialog';

interface RemoveDialogProps {
  file: string;
  pending: boolean;
  error: Error | null;
  onRemove(): void;
  onClose(): void;
}

/** All rules of a file go together: the file is what was imported. */
export function RemoveDialog({ file, pending, error, onRemove, onClose }: RemoveDialogProps) {
  return (
    <FormDialog
      title={`Remove ${file}?`}
      submitLabel="Remove"
      invalid={false}
      pending={pending}
      error={error}
      onSubmit={onRemove}
      onClose={onClose}
    >
      <span>All rules of this file are no longer looked for. Alerts that they raised stay.</span>
    </FormDialog>
  );
}
