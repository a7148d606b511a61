import { Button, Field, Input } from '@fluentui/react-components';
import { ArrowUpload20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useImportDocument } from '@/api/software';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { count } from '@/format/number';
import { slugOf } from '@/format/suppression';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Muted } from '@/parts/page';

export function ImportSbom({ deviceId }: { deviceId: string }) {
  const mayImport = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  if (!mayImport) return null;
  return (
    <>
      <Button icon={<ArrowUpload20Regular />} onClick={() => setAsking(true)}>
        Import a document
      </Button>
      {asking && <ImportDialog deviceId={deviceId} onClose={() => setAsking(false)} />}
    </>
  );
}

function ImportDialog({ deviceId, onClose }: { deviceId: string; onClose(): void }) {
  const [name, setName] = useState('');
  const [file, setFile] = useState<File>();
  const send = useImportDocument(deviceId);
  const { done } = useNotifications();
  const take = (chosen: File | undefined) => {
    setFile(chosen);
    if (chosen && !name) setName(slugOf(chosen.name.replace(/(\.(cdx|spdx|bom))?(\.(json|spdx|tag|txt))?$/i, '')));
  };
  return (
    <FormDialog
      title="Import a document"
      submitLabel="Import"
      invalid={!file || slugOf(name) === ''}
      pending={send.isPending}
      error={send.error}
      onSubmit={() =>
        file &&
        send.mutate(
          { name: slugOf(name), file },
          {
            onSuccess: (made) => {
              const left = made.leftOut ? `, ${count(made.leftOut, 'entry', 'entries')} left out` : '';
              done(`${count(made.components ?? 0, 'component')} were imported${left}`);
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    >
      <div>CycloneDX 1.2 to 1.7 (JSON), SPDX 2.2 and 2.3 (JSON or tag-value), 3.0 (JSON); at most 8 MiB.</div>
      <FileButton label="Document" accept=".json,.spdx,.tag,.txt" onFile={take} />
      {file && <Muted>{file.name}</Muted>}
      <Field label="Name" required hint="Such as firmware-1.4. One that is there under this name is replaced.">
        <Input value={name} maxLength={64} onChange={(_, data) => setName(data.value)} />
      </Field>
    </FormDialog>
  );
}
