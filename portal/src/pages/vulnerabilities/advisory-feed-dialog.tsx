/** Adds a feed of advisories or changes it; its source is an address or path, or a file that is handed in once. */
import { Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import { useHandInAdvisories, usePutAdvisoryFeed } from '@/api/software';
import type { AdvisoryFeed, AdvisoryFeedOrder } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { count } from '@/format/number';
import { kFeedKinds } from '@/format/vulnerability';
import { FileButton } from '@/parts/file-button';
import { FormDialog } from '@/parts/form-dialog';
import { Muted } from '@/parts/page';
import { Pick } from '@/parts/pick';

const kHourSeconds = 3600;
type Kind = AdvisoryFeedOrder['kind'];

export function AdvisoryFeedDialog({ feed, onClose }: { feed?: AdvisoryFeed; onClose(): void }) {
  const [name, setName] = useState(feed?.name ?? '');
  const [kind, setKind] = useState<Kind>((feed?.kind as Kind | undefined) ?? 'debian-tracker');
  const [source, setSource] = useState(feed?.source ?? '');
  const [hours, setHours] = useState(String(Math.max(1, Math.round((feed?.everySeconds ?? 6 * kHourSeconds) / kHourSeconds))));
  const [file, setFile] = useState<File>();
  const put = usePutAdvisoryFeed();
  const handIn = useHandInAdvisories();
  const { done } = useNotifications();
  const everyFits = /^\d{1,4}$/.test(hours) && Number(hours) >= 1 && Number(hours) <= 8784;
  const sourceFits = /^(https?:\/\/|\/)\S+/.test(source.trim());
  const submit = () => {
    if (file) {
      handIn.mutate(
        { name, kind, file },
        {
          onSuccess: (state) => {
            done(`${count(state.entries ?? 0, 'entry', 'entries')} are in force`);
            onClose();
          },
        },
      );
      return;
    }
    put.mutate(
      { name, order: { kind, source: source.trim(), everySeconds: Number(hours) * kHourSeconds } },
      {
        onSuccess: () => {
          done(feed ? 'The feed was changed' : 'The feed was added and is read soon');
          onClose();
        },
      },
    );
  };
  return (
    <FormDialog
      title={feed ? `Feed ${feed.name}` : 'Add a feed'}
      submitLabel={feed ? 'Save' : 'Add'}
      invalid={!/^[A-Za-z0-9._-]{1,64}$/.test(name) || (!file && (!sourceFits || !everyFits))}
      pending={put.isPending || handIn.isPending}
      error={put.error ?? handIn.error}
      onSubmit={submit}
      onClose={onClose}
    >
      {!feed && (
        <Field label="Name" required hint="Letters, digits, dashes, dots.">
          <Input value={name} maxLength={64} onChange={(_, data) => setName(data.value)} />
        </Field>
      )}
      <Pick label="Kind" value={kind} options={kFeedKinds} onPick={(value) => setKind(value as Kind)} />
      {!file && (
        <>
          <Field
            label="Source"
            required
            validationMessage={source === '' || sourceFits ? undefined : 'An http or https address, or a path from the root.'}
          >
            <Input value={source} maxLength={2048} spellCheck={false} onChange={(_, data) => setSource(data.value)} />
          </Field>
          <Field label="Hours between looks" validationMessage={everyFits ? undefined : '1 to 8784.'}>
            <Input type="number" min={1} value={hours} onChange={(_, data) => setHours(data.value)} />
          </Field>
        </>
      )}
      <Field label="Or a file of this machine" hint="At most 8 MiB, compressed as it is; a larger one goes to the server's disk.">
        <div>
          <FileButton label="File of advisories" onFile={setFile} /> {file && <Muted>{file.name}</Muted>}
        </div>
      </Field>
    </FormDialog>
  );
}
