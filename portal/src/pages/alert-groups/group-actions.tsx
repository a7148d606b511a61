import { Button, Field, Textarea } from '@fluentui/react-components';
import { useState } from 'react';
import { useTriageGroup } from '@/api/incidents';
import type { AlertGroup } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { count } from '@/format/number';
import { FormDialog } from '@/parts/form-dialog';

const kCommentMax = 4000;

/** Dismisses the whole group, also what comes to it later; or takes that back. */
export function GroupActions({ group }: { group: AlertGroup }) {
  const mayTriage = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const triage = useTriageGroup();
  const { done, failed } = useNotifications();
  if (!mayTriage) return null;
  const { alertType, date, displayName } = group;
  if (group.open > 0) {
    return (
      <>
        <Button size="small" aria-label={`Dismiss ${displayName} of ${date}`} onClick={() => setAsking(true)}>
          Dismiss
        </Button>
        {asking && <DismissDialog group={group} onClose={() => setAsking(false)} />}
      </>
    );
  }
  return (
    <Button
      size="small"
      disabled={triage.isPending}
      aria-label={`Open again: ${displayName} of ${date}`}
      onClick={() =>
        triage.mutate(
          { alertType, date, status: 'New' },
          {
            onSuccess: () => done(`${displayName} of ${date} is open again`),
            onError: (error) => failed('The group was not changed', error),
          },
        )
      }
    >
      Open again
    </Button>
  );
}

function DismissDialog({ group, onClose }: { group: AlertGroup; onClose(): void }) {
  const [comment, setComment] = useState('');
  const triage = useTriageGroup();
  const { done } = useNotifications();
  const { alertType, date, displayName, alerts } = group;
  return (
    <FormDialog
      title="Dismiss the group"
      submitLabel="Dismiss"
      invalid={false}
      pending={triage.isPending}
      error={triage.error}
      onSubmit={() =>
        triage.mutate(
          { alertType, date, ...(comment.trim() ? { comment: comment.trim() } : {}) },
          {
            onSuccess: () => {
              done(`${displayName} of ${date} was dismissed`);
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    >
      <div>
        {count(alerts, 'alert')} named {displayName} of {date} will be dismissed, and so will those that still come to the group.
        It can be opened again.
      </div>
      <Field label="Comment">
        <Textarea value={comment} maxLength={kCommentMax} onChange={(_, data) => setComment(data.value)} />
      </Field>
    </FormDialog>
  );
}
