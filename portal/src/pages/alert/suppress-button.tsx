import { Button } from '@fluentui/react-components';
import { AlertOff20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { Alert } from '@/api/types';
import { useMay } from '@/app/session';
import { SuppressionDialog } from '@/parts/suppression-dialog';

export function SuppressButton({ alert }: { alert: Alert }) {
  const maySuppress = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  if (!maySuppress) return null;
  return (
    <>
      <Button icon={<AlertOff20Regular />} onClick={() => setAsking(true)}>
        Suppress…
      </Button>
      {asking && <SuppressionDialog alert={alert} onClose={() => setAsking(false)} />}
    </>
  );
}
