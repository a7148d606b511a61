/** Adds or changes a suppression rule; an alert can be what it begins with. */
import { Field, Input, Switch, Textarea } from '@fluentui/react-components';
import { useState } from 'react';
import { usePutSuppression } from '@/api/incidents';
import type { Alert, Suppression, SuppressionMatch } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { dayAfter, dayBefore, endOfDay } from '@/format/day';
import { entityChoices, fieldChoices, matchesAll, matchText, slugOf, tidyMatch } from '@/format/suppression';
import { DateField } from './date-field';
import { FormDialog } from './form-dialog';
import { MatchFields } from './match-fields';
import { Muted } from './page';

const kDaysUsual = 30;
const kReasonMax = 1024;

interface Draft {
  id: string;
  match: SuppressionMatch;
  reason: string;
  until: string;
  enabled: boolean;
}

function draftOf(rule: Suppression | undefined, alert: Alert | undefined): Draft {
  if (rule)
    return { id: rule.id, match: rule.match, reason: rule.reason, until: dayBefore(rule.expires), enabled: rule.enabled ?? true };
  return {
    id: alert ? slugOf(`${alert.alertType}-${alert.deviceId}`) : '',
    match: alert ? { type: alert.alertType, device: alert.deviceId } : {},
    reason: '',
    until: dayAfter(kDaysUsual, Date.now()),
    enabled: true,
  };
}

export function SuppressionDialog({ rule, alert, onClose }: { rule?: Suppression; alert?: Alert; onClose(): void }) {
  const [draft, setDraft] = useState(() => draftOf(rule, alert));
  const put = usePutSuppression();
  const { done } = useNotifications();
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const match = tidyMatch(draft.match);
  const id = rule ? rule.id : slugOf(draft.id);
  const submit = () =>
    put.mutate(
      {
        id,
        rule: {
          ...(rule?.name ? { name: rule.name } : {}),
          reason: draft.reason.trim(),
          match,
          enabled: draft.enabled,
          ...(endOfDay(draft.until) ? { expires: endOfDay(draft.until) } : {}),
        },
      },
      {
        onSuccess: () => {
          done('The rule acts on what comes from now on');
          onClose();
        },
      },
    );
  return (
    <FormDialog
      title={rule ? `Suppression rule ${rule.id}` : 'Suppress alerts'}
      submitLabel="Save"
      invalid={id === '' || draft.reason.trim() === '' || matchesAll(match)}
      pending={put.isPending}
      error={put.error}
      onSubmit={submit}
      onClose={onClose}
    >
      {!rule && (
        <Field label="Name" required hint="Letters, digits, dashes. A rule that is there under this name is replaced.">
          <Input value={draft.id} maxLength={64} onChange={(_, data) => set({ id: data.value })} />
        </Field>
      )}
      <MatchFields
        match={draft.match}
        onMatch={(next) => set({ match: next })}
        entities={alert && entityChoices(alert)}
        fields={alert && fieldChoices(alert)}
      />
      <Muted>
        {matchesAll(match)
          ? 'Fill in at least one: a rule for everything is refused.'
          : `Dismisses alerts with ${matchText(match)}. A * is any text, a ? any letter.`}
      </Muted>
      <Field label="Reason" required>
        <Textarea value={draft.reason} maxLength={kReasonMax} onChange={(_, data) => set({ reason: data.value })} />
      </Field>
      <DateField
        label="Until"
        hint="The last day, UTC. Empty: for good."
        value={draft.until}
        onChange={(until) => set({ until })}
      />
      <Switch label="In force" checked={draft.enabled} onChange={(_, data) => set({ enabled: data.checked })} />
    </FormDialog>
  );
}
