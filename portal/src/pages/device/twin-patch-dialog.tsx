import { useState } from 'react';
import { usePatchTwin } from '@/api/queries';
import { useNotifications } from '@/app/notifications';
import { parseTwinPatch } from '@/format/json';
import { CodeField } from '@/parts/code-field';
import { FormDialog } from '@/parts/form-dialog';

const kBegin = `{
  "tags": {},
  "properties": {
    "desired": {}
  }
}`;

interface TwinPatchDialogProps {
  deviceId: string;
  module: string | undefined;
  /** Of the twin as it was shown when the dialog was opened. */
  etag: string | undefined;
  onClose(): void;
}

/** Merges what is written into the twin: the rest of it stays. */
export function TwinPatchDialog({ deviceId, module, etag, onClose }: TwinPatchDialogProps) {
  const [opened] = useState(etag); // what is pushed meanwhile is not what the person has seen
  const patch = usePatchTwin(deviceId, module, opened);
  const { done } = useNotifications();
  const [text, setText] = useState(kBegin);
  const { value, problem } = parseTwinPatch(text);
  const save = () =>
    value &&
    patch.mutate(value, {
      onSuccess: ({ version }) => {
        done(`The twin was changed; it has version ${version} now`);
        onClose();
      },
    });
  return (
    <FormDialog
      title={`Change the twin of ${module ?? deviceId}`}
      submitLabel="Merge"
      invalid={value === undefined}
      pending={patch.isPending}
      error={patch.error}
      onSubmit={save}
      onClose={onClose}
    >
      <CodeField
        label="Patch"
        hint="Merged into tags and desired properties. A member that is null is removed; what is not named stays."
        required
        rows={12}
        value={text}
        problem={problem}
        onChange={setText}
      />
    </FormDialog>
  );
}
