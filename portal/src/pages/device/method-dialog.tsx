import { Field, Input, SpinButton } from '@fluentui/react-components';
import { useState } from 'react';
import { useCallMethod } from '@/api/queries';
import type { Device } from '@/api/types';
import { parseJson } from '@/format/json';
import { Choice } from '@/parts/choice';
import { CodeField } from '@/parts/code-field';
import { JsonText } from '@/parts/json-text';
import { FormDialog } from '@/parts/form-dialog';

const kTimeoutS = { min: 5, max: 300, usual: 30 };

/** Calls a direct method; the dialog stays open with the answer, so that another call can follow. */
export function MethodDialog({ device, onClose }: { device: Device; onClose(): void }) {
  const call = useCallMethod(device.deviceId);
  const [module, setModule] = useState('');
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const [timeout, setTimeout] = useState(kTimeoutS.usual);
  const { value: payload, problem } = parseJson(text);
  const send = () =>
    call.mutate({ module: module || undefined, methodName: name.trim(), payload, responseTimeoutInSeconds: timeout });
  const reply = call.data;
  return (
    <FormDialog
      title={`Call a method of ${device.deviceId}`}
      submitLabel="Call"
      closeLabel="Close"
      invalid={name.trim() === '' || problem !== undefined}
      pending={call.isPending}
      error={call.error}
      onSubmit={send}
      onClose={onClose}
    >
      {device.modules.length > 0 && (
        <Choice
          label="Method of"
          value={module}
          all="The device"
          options={device.modules.map(({ moduleId }) => [moduleId, moduleId] as const)}
          onChoose={setModule}
        />
      )}
      <Field label="Method" required>
        <Input autoFocus value={name} maxLength={100} onChange={(_, data) => setName(data.value)} />
      </Field>
      <CodeField label="Payload" hint="Any JSON. May stay empty." rows={5} value={text} problem={problem} onChange={setText} />
      <Field label="Seconds to wait for the answer">
        <SpinButton
          min={kTimeoutS.min}
          max={kTimeoutS.max}
          value={timeout}
          onChange={(_, data) => {
            const seconds = data.value ?? Math.round(Number(data.displayValue));
            if (seconds >= kTimeoutS.min && seconds <= kTimeoutS.max) setTimeout(seconds);
          }}
        />
      </Field>
      {reply && (
        <div role="status">
          The device answered with status {reply.status}.
          <JsonText label="Answer of the device" text={JSON.stringify(reply.payload, null, 2)} />
        </div>
      )}
    </FormDialog>
  );
}
