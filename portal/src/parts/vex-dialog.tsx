/** A statement about a vulnerability: that it does not affect a package or a device, and why. */
import { Button, Field, Input, Textarea } from '@fluentui/react-components';
import { ShieldCheckmark20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { usePutVex } from '@/api/software';
import { useNotifications } from '@/app/notifications';
import { useMay, useSession } from '@/app/session';
import { slugOf } from '@/format/suppression';
import { kJustifications, kVexStatuses, vexDocument, vexProblem, type VexForm, type VexScope } from '@/format/vulnerability';
import { FormDialog } from './form-dialog';
import { Muted } from './page';
import { Pick } from './pick';

const kTextMax = 1024;
const kScopes = [
  ['package', 'The package, any version'],
  ['version', 'This version of the package'],
  ['device', 'The package on one device'],
] as const;

interface VexProps {
  vulnerability?: string;
  purl?: string;
  deviceId?: string;
}

export function VexButton(props: VexProps) {
  const mayState = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  if (!mayState) return null;
  return (
    <>
      <Button icon={<ShieldCheckmark20Regular />} onClick={() => setAsking(true)}>
        New statement
      </Button>
      {asking && <VexDialog {...props} onClose={() => setAsking(false)} />}
    </>
  );
}

function VexDialog({ vulnerability = '', purl = '', deviceId = '', onClose }: VexProps & { onClose(): void }) {
  const [form, setForm] = useState<VexForm>({
    vulnerability,
    purl,
    deviceId,
    scope: deviceId ? 'device' : 'package',
    status: 'not_affected',
    justification: '',
    impact: '',
  });
  const [name, setName] = useState('');
  const { state } = useSession();
  const put = usePutVex();
  const { done } = useNotifications();
  const set = (change: Partial<VexForm>) => setForm((old) => ({ ...old, ...change }));
  const usual = slugOf([form.vulnerability, form.scope === 'device' ? form.deviceId : ''].filter(Boolean).join('-'));
  const problem = vexProblem(form);
  const submit = () => {
    const author = state.kind === 'in' ? state.session.user : '';
    const document = JSON.stringify(vexDocument(form, author, new Date().toISOString()), null, 2);
    put.mutate(
      { name: slugOf(name) || usual, document },
      {
        onSuccess: () => {
          done('The statement is in force');
          onClose();
        },
      },
    );
  };
  const text = (label: string, key: 'vulnerability' | 'purl' | 'deviceId', hint?: string) => (
    <Field label={label} hint={hint}>
      <Input value={form[key]} maxLength={kTextMax} spellCheck={false} onChange={(_, data) => set({ [key]: data.value })} />
    </Field>
  );
  return (
    <FormDialog
      title="New statement"
      submitLabel="Put in force"
      invalid={problem !== ''}
      pending={put.isPending}
      error={put.error}
      onSubmit={submit}
      onClose={onClose}
    >
      {text('Vulnerability', 'vulnerability')}
      <Pick label="About" value={form.scope} options={kScopes} onPick={(scope) => set({ scope: scope as VexScope })} />
      {form.scope === 'device' && text('Device', 'deviceId', 'A * at the end: all that begin so.')}
      {text('Package URL', 'purl', form.scope === 'device' ? 'Empty: all of the device.' : undefined)}
      <Pick
        label="Status"
        value={form.status}
        options={kVexStatuses}
        onPick={(status) => set({ status: status as VexForm['status'] })}
      />
      {form.status === 'not_affected' && (
        <Pick
          label="Justification"
          value={form.justification}
          none="None of these; see below"
          options={kJustifications}
          onPick={(justification) => set({ justification })}
        />
      )}
      <Field label={form.status === 'not_affected' ? 'Impact statement' : 'Note'}>
        <Textarea value={form.impact} maxLength={kTextMax} onChange={(_, data) => set({ impact: data.value })} />
      </Field>
      <Field label="Name of the document" hint="One that is there under this name is replaced.">
        <Input value={name} placeholder={usual} maxLength={64} onChange={(_, data) => setName(data.value)} />
      </Field>
      {problem && <Muted>{problem}</Muted>}
    </FormDialog>
  );
}
