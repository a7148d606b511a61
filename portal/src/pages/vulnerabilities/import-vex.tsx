import { Button, Field, Input } from '@fluentui/react-components';
import { ArrowUpload20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { usePutVex } from '@/api/software';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { count } from '@/format/number';
import { slugOf } from '@/format/suppression';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Muted } from '@/parts/page';

export function ImportVex() {
  const mayImport = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  if (!mayImport) return null;
  return (
    <>
      <Button icon={<ArrowUpload20Regular />} onClick={() => setAsking(true)}>
        Import
      </Button>
      {asking && <ImportDialog onClose={() => setAsking(false)} />}
    </>
  );
}

function ImportDialog({ onClose }: { onClose(): void }) {
  const [name, setName] = useState('');
  const [file, setFile] = useState<File>();
  const put = usePutVex();
  const { done } = useNotifications();
  const take = (chosen: File | undefined) => {
    setFile(chosen);
    if (chosen && !name) setName(slugOf(chosen.name.replace(/(\.openvex|\.vex)?\.json$/i, '')));
  };
  return (
    <FormDialog
      title="Import OpenVEX statements"
      submitLabel="Put in force"
      invalid={!file || slugOf(name) === ''}
      pending={put.isPending}
      error={put.error}
      onSubmit={() =>
        file &&
        put.mutate(
          { name: slugOf(name), document: file },
          {
            onSuccess: (made) => {
              done(`${count(made.statements ?? 0, 'statement')} are in force`);
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    >
      <FileButton label="OpenVEX document" accept=".json" onFile={take} />
      {file && <Muted>{file.name}</Muted>}
      <Field label="Name" required hint="One that is there under this name is replaced.">
        <Input value={name} maxLength={64} onChange={(_, data) => setName(data.value)} />
      </Field>
    </FormDialog>
  );
}
