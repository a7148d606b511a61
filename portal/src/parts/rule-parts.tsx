/** What both pages of rules show: the level, where a rule is from, and the switch. */
import { Badge, Switch } from '@fluentui/react-components';
import { useSwitchRule } from '@/api/queries';
import type { Rule } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';

export const rulePath = (id: string) => `/rules/${encodeURIComponent(id)}`;

/** A Contributor switches a rule; everybody else reads how it is switched. */
export function RuleSwitch({ rule, label }: { rule: Rule; label?: string }) {
  const mayChange = useMay('Contributor');
  const change = useSwitchRule();
  const { done, failed } = useNotifications();
  if (!mayChange) {
    return (
      <Badge appearance="tint" color={rule.enabled ? 'brand' : 'subtle'}>
        {rule.enabled ? 'On' : 'Off'}
      </Badge>
    );
  }
  const toggle = (enabled: boolean) =>
    change.mutate(
      { id: rule.id, enabled },
      {
        onSuccess: () => done(enabled ? 'Rule switched on' : 'Rule switched off'),
        onError: (error) => failed('The rule was not switched', error),
      },
    );
  return (
    <Switch
      checked={change.isPending ? change.variables.enabled : rule.enabled}
      label={label}
      aria-label={label ? undefined : `In force: ${rule.title}`}
      onChange={(_, data) => !change.isPending && toggle(data.checked)}
    />
  );
}
