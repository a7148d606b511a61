/** What both pages of scheduled rules show: the switch and the outcome of a run. */
import { Badge, Switch } from '@fluentui/react-components';
import { useSwitchAnalyticsRule, type AnalyticsRule, type AnalyticsRun } from '@/api/analytics';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { kOutcomes } from '@/format/analytics';

export const analyticsRulePath = (id: string) => `/analytics-rules/${encodeURIComponent(id)}`;

export function AnalyticsSwitch({ rule, label }: { rule: AnalyticsRule; label?: string }) {
  const may = useMay('Contributor');
  const change = useSwitchAnalyticsRule();
  const { failed } = useNotifications();
  if (!may) return <Badge appearance="tint">{rule.enabled ? 'On' : 'Off'}</Badge>;
  return (
    <Switch
      checked={change.isPending ? change.variables.enabled : rule.enabled}
      label={label}
      aria-label={label ? undefined : `In force: ${rule.name}`}
      onChange={(_, data) =>
        !change.isPending &&
        change.mutate({ id: rule.id, enabled: data.checked }, { onError: (error) => failed('The rule was not switched', error) })
      }
    />
  );
}

export function OutcomeBadge({ outcome }: { outcome: NonNullable<AnalyticsRun['outcome']> }) {
  const { text, color } = kOutcomes[outcome];
  return (
    <Badge appearance="tint" color={color}>
      {text}
    </Badge>
  );
}
