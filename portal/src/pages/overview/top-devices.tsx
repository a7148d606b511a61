import { makeStyles, tokens } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Overview } from '@/api/types';
import { count } from '@/format/number';
import { devicePath } from '@/parts/alert-table';
import { Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState } from '@/parts/states';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column' },
  item: {
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    minHeight: '34px',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    ':last-child': { borderBottom: 'none' },
  },
  name: { flexGrow: 1, minWidth: 0, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  count: { color: tokens.colorNeutralForeground2, whiteSpace: 'nowrap' },
});

export function TopDevices({ devices }: { devices: Overview['top_devices'] }) {
  const styles = useStyles();
  return (
    <Section title="Devices with most open alerts">
      {devices.length === 0 ? (
        <EmptyState title="No device has an open alert" />
      ) : (
        <ul className={styles.list}>
          {devices.map(({ deviceId, openAlerts, highestSeverity }) => (
            <li key={deviceId} className={styles.item}>
              {highestSeverity && <SeverityBadge severity={highestSeverity} iconOnly />}
              <Link to={devicePath(deviceId)} className={styles.name}>
                {deviceId}
              </Link>
              <span className={styles.count}>{count(openAlerts, 'open alert')}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
