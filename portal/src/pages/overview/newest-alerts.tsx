import { ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { Link } from 'react-router-dom';
import type { AlertSummary } from '@/api/types';
import { AlertTable } from '@/parts/alert-table';
import { Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';

export function NewestAlerts({ alerts }: { alerts: readonly AlertSummary[] }) {
  return (
    <Section title="Newest alerts" flush actions={<Link to="/alerts">All alerts</Link>}>
      {alerts.length > 0 ? (
        <AlertTable compact label="Newest alerts" alerts={alerts} />
      ) : (
        <EmptyState icon={<ShieldCheckmark24Regular />} title="No alerts yet">
          To see one, run <code>picket-agent selftest</code> on a device: it sends a harmless test event.
        </EmptyState>
      )}
    </Section>
  );
}
