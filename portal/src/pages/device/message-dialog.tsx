import { Field, Input, Textarea } from '@fluentui/react-components';
import { useState } from 'react';
import { useSendMessage } from '@/api/queries';
import { useNotifications } from '@/app/notifications';
import { FormDialog } from '@/parts/form-dialog';

const kBodyCharactersMax = 65_536;

/** Puts a message into the device's queue. It waits there until the device asks for it. */
export function MessageDialog({ deviceId, onClose }: { deviceId: string; onClose(): void }) {
  const send = useSendMessage(deviceId);
  const { done } = useNotifications();
  const [body, setBody] = useState('');
  const [messageId, setMessageId] = useState('');
  const submit = () =>
    send.mutate(
      { body, ...(messageId.trim() ? { messageId: messageId.trim() } : {}) },
      {
        onSuccess: () => {
          done(`The message waits for ${deviceId}`);
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title={`Send a message to ${deviceId}`}
      submitLabel="Send"
      invalid={body === ''}
      pending={send.isPending}
      error={send.error}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Body" required>
        <Textarea
          autoFocus
          resize="vertical"
          rows={6}
          maxLength={kBodyCharactersMax}
          value={body}
          onChange={(_, data) => setBody(data.value)}
        />
      </Field>
      <Field label="Message id" hint="May stay empty.">
        <Input value={messageId} maxLength={128} onChange={(_, data) => setMessageId(data.value)} />
      </Field>
    </FormDialog>
  );
}
