import { Button } from '@fluentui/react-components';
import { Delete16Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useRemoveSuppression } from '@/api/incidents';
import type { Suppression } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { SuppressionDialog } from '@/parts/suppression-dialog';

export function RuleActions({ rule }: { rule: Suppression }) {
  const mayChange = useMay('Contributor');
  const [asking, setAsking] = useState<'change' | 'remove'>();
  const remove = useRemoveSuppression();
  const { done } = useNotifications();
  if (!mayChange) return null;
  const close = () => setAsking(undefined);
  return (
    <>
      <Button size="small" aria-label={`Change ${rule.id}`} onClick={() => setAsking('change')}>
        Change
      </Button>{' '}
      <Button size="small" icon={<Delete16Regular />} aria-label={`Remove ${rule.id}`} onClick={() => setAsking('remove')} />
      {asking === 'change' && <SuppressionDialog rule={rule} onClose={close} />}
      {asking === 'remove' && (
        <ConfirmDialog
          title={`Remove ${rule.id}?`}
          confirmLabel="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() =>
            remove.mutate(rule.id, {
              onSuccess: () => {
                done('The rule was removed');
                close();
              },
            })
          }
          onClose={close}
        >
          What it would have dismissed comes as a new alert from now on. What it has dismissed stays dismissed.
        </ConfirmDialog>
      )}
    </>
  );
}
