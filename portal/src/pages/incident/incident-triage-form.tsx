/** What is decided about the incident, and with it about its alerts. */
import { Button, makeStyles } from '@fluentui/react-components';
import { useState, type FormEvent } from 'react';
import { useTriageIncident } from '@/api/incidents';
import type { IncidentDetail, IncidentTriage } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { changesOf, kIncidentStatuses, type Draft } from '@/format/triage';
import { Section } from '@/parts/page';
import { Pick } from '@/parts/pick';
import { TriageFields } from '@/parts/triage-fields';

const useStyles = makeStyles({ form: { display: 'flex', flexDirection: 'column', gap: '12px' } });

type AlertsToo = NonNullable<IncidentTriage['alertStatus']>;
const kAlertsToo = [
  ['Active', 'Active'],
  ['Resolved', 'Resolved'],
  ['Dismissed', 'Dismissed'],
] as const;

export function IncidentTriageForm({ incident }: { incident: IncidentDetail }) {
  const styles = useStyles();
  const mayTriage = useMay('Contributor');
  const { done, failed } = useNotifications();
  const triage = useTriageIncident(incident.id);
  const [draft, setDraft] = useState<Draft>({});
  const [alertsToo, setAlertsToo] = useState<AlertsToo | ''>('');
  if (!mayTriage) return null;

  const changes = changesOf(incident, draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!changes || triage.isPending) return;
    triage.mutate(
      { ...(changes as IncidentTriage), ...(alertsToo ? { alertStatus: alertsToo } : {}) },
      {
        onSuccess: () => {
          setDraft({});
          setAlertsToo('');
          done('Triage saved');
        },
        onError: (error) => failed('The incident was not changed', error),
      },
    );
  };
  return (
    <Section title="Triage">
      <form className={styles.form} onSubmit={submit}>
        <TriageFields now={incident} draft={draft} statuses={kIncidentStatuses} onDraft={setDraft} />
        <Pick
          label="Its open alerts become"
          value={alertsToo}
          none="As they are"
          options={kAlertsToo}
          onPick={(value) => setAlertsToo(value as AlertsToo | '')}
        />
        <div>
          <Button appearance="primary" type="submit" disabled={!changes || triage.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}
