/** The content of a feed without a source: a file of this machine, or text written here. */
import { Button, Checkbox, Field, Textarea } from '@fluentui/react-components';
import { ArrowUpload20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useHandInFeed } from '@/api/intelligence';
import { useNotifications } from '@/app/notifications';
import { count } from '@/format/number';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Muted } from '@/parts/page';

export function HandIn({ name }: { name: string }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button icon={<ArrowUpload20Regular />} onClick={() => setAsking(true)}>
        Hand in content
      </Button>
      {asking && <HandInDialog name={name} onClose={() => setAsking(false)} />}
    </>
  );
}

function HandInDialog({ name, onClose }: { name: string; onClose(): void }) {
  const [text, setText] = useState('');
  const [file, setFile] = useState<File>();
  const [force, setForce] = useState(false);
  const handIn = useHandInFeed();
  const { done } = useNotifications();
  return (
    <FormDialog
      title={`Content of ${name}`}
      submitLabel="Hand in"
      invalid={!file && text.trim() === ''}
      pending={handIn.isPending}
      error={handIn.error}
      onSubmit={() =>
        handIn.mutate(
          { name, content: file ?? text, force },
          {
            onSuccess: (feed) => {
              done(`${count(feed.indicators, 'indicator')} were read`);
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    >
      <FileButton label="File of indicators" onFile={setFile} />
      {file ? (
        <Muted>{file.name}</Muted>
      ) : (
        <Field label="Or one a line" hint="Addresses, networks, names, URLs, hashes; comments behind #. At most 7.9 MiB.">
          <Textarea rows={8} resize="vertical" spellCheck={false} value={text} onChange={(_, data) => setText(data.value)} />
        </Field>
      )}
      <Checkbox
        label="Also when it shrinks by more than half"
        checked={force}
        onChange={(_, data) => setForce(data.checked === true)}
      />
    </FormDialog>
  );
}
