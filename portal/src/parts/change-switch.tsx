/** A switch whose change goes to the server: who may not change it reads how it stands. */
import { Badge, Switch } from '@fluentui/react-components';
import type { UseMutationResult } from '@tanstack/react-query';
import { useNotifications } from '@/app/notifications';

interface Props {
  enabled: boolean;
  may: boolean;
  /** What is switched, for the notifications: "Rule". */
  what: string;
  /** Shown beside the switch; without it `name` is what assistive technology reads. */
  label?: string;
  name: string;
  /** Its mutation has a scope, so that presses that come while a change is on its way are sent after it, and none is lost. */
  change: UseMutationResult<unknown, Error, boolean>;
}

export function ChangeSwitch({ enabled, may, what, label, name, change }: Props) {
  const { done, failed } = useNotifications();
  if (!may) {
    return (
      <Badge appearance="tint" color={enabled ? 'brand' : 'subtle'}>
        {enabled ? 'On' : 'Off'}
      </Badge>
    );
  }
  return (
    <Switch
      checked={change.isPending ? change.variables : enabled}
      label={label}
      aria-label={label ? undefined : name}
      onChange={(_, data) =>
        change.mutate(data.checked, {
          onSuccess: () => done(`${what} switched ${data.checked ? 'on' : 'off'}`),
          onError: (error) => failed(`The ${what.toLowerCase()} was not switched`, error),
        })
      }
    />
  );
}
