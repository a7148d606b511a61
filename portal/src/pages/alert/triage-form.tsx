/** What is decided about one alert, and the way back. */
import { Button, makeStyles } from '@fluentui/react-components';
import { ArrowUndo20Regular } from '@fluentui/react-icons';
import { useState, type FormEvent } from 'react';
import { useAlertsDecided, useUndoAlert } from '@/api/incidents';
import { useTriage } from '@/api/queries';
import type { Alert, Triage } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { kAlertStatuses } from '@/format/severity';
import { changesOf, type Draft } from '@/format/triage';
import { Section } from '@/parts/page';
import { TriageFields } from '@/parts/triage-fields';

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: '12px' },
  buttons: { display: 'flex', gap: '8px', flexWrap: 'wrap' },
});

export function TriageForm({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const mayTriage = useMay('Contributor');
  const { done, failed } = useNotifications();
  const triage = useTriage(alert.id);
  const decided = useAlertsDecided();
  const [draft, setDraft] = useState<Draft>({});
  if (!mayTriage) return null;

  const changes = changesOf(alert, draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!changes || triage.isPending) return;
    triage.mutate(changes as Triage, {
      onSuccess: () => {
        setDraft({});
        decided();
        done('Triage saved');
      },
      onError: (error) => failed('The alert was not changed', error),
    });
  };
  return (
    <Section title="Triage">
      <form className={styles.form} onSubmit={submit}>
        <TriageFields now={alert} draft={draft} statuses={kAlertStatuses} onDraft={setDraft} />
        <div className={styles.buttons}>
          <Button appearance="primary" type="submit" disabled={!changes || triage.isPending}>
            Save
          </Button>
          <Undo alert={alert} />
        </div>
      </form>
    </Section>
  );
}

/** Takes back the last change of the status, where there was one. */
function Undo({ alert }: { alert: Alert }) {
  const { done, failed } = useNotifications();
  const undo = useUndoAlert(alert.id);
  const before = alert.changes.filter(({ change, status }) => change === 'triaged' && status).length;
  if (before === 0 || (alert.status === 'New' && before < 2)) return null;
  return (
    <Button
      icon={<ArrowUndo20Regular />}
      disabled={undo.isPending}
      onClick={() =>
        undo.mutate(undefined, {
          onSuccess: (now) => done(`The alert is ${now.status} again`),
          onError: (error) => failed('Nothing was taken back', error),
        })
      }
    >
      Undo status
    </Button>
  );
}
