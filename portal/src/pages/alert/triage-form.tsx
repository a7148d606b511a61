import { Button, Dropdown, Field, makeStyles, Option, Textarea } from '@fluentui/react-components';
import { useState, type FormEvent } from 'react';
import { useTriage } from '@/api/queries';
import type { Alert, AlertStatus } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { kAlertStatuses } from '@/format/severity';
import { Section } from '@/parts/page';

const kCommentMax = 4000;

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: '12px' },
  buttons: { display: 'flex', gap: '8px' },
});

export function TriageForm({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const mayTriage = useMay('Contributor');
  const { done, failed } = useNotifications();
  const triage = useTriage(alert.id);
  // What was chosen; nothing chosen follows the alert, which others may change meanwhile.
  const [chosen, setChosen] = useState<AlertStatus>();
  const [comment, setComment] = useState('');
  if (!mayTriage) return null;

  const status = chosen ?? alert.status;
  const changed = status !== alert.status || comment.trim() !== '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    triage.mutate(
      { ...(status !== alert.status ? { status } : {}), ...(comment.trim() ? { comment: comment.trim() } : {}) },
      {
        onSuccess: () => {
          setChosen(undefined);
          setComment('');
          done('Triage saved');
        },
        onError: (error) => failed('The alert was not changed', error),
      },
    );
  };
  return (
    <Section title="Triage">
      <form className={styles.form} onSubmit={submit}>
        <Field label="Status">
          <Dropdown
            value={status}
            selectedOptions={[status]}
            onOptionSelect={(_, data) => setChosen(data.optionValue as AlertStatus)}
          >
            {kAlertStatuses.map((name) => (
              <Option key={name} value={name}>
                {name}
              </Option>
            ))}
          </Dropdown>
        </Field>
        <Field label="Comment">
          <Textarea
            value={comment}
            maxLength={kCommentMax}
            rows={3}
            resize="vertical"
            placeholder="What you found, for those after you"
            onChange={(_, data) => setComment(data.value)}
          />
        </Field>
        <div className={styles.buttons}>
          <Button appearance="primary" type="submit" disabled={!changed || triage.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}
