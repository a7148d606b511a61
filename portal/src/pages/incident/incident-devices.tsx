import { makeStyles } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { IncidentDetail } from '@/api/types';
import { count } from '@/format/number';
import { devicePath } from '@/parts/alert-table';
import { Muted, Section } from '@/parts/page';

const useStyles = makeStyles({
  list: {
    listStyle: 'none',
    margin: 0,
    padding: 0,
    display: 'flex',
    flexDirection: 'column',
    gap: '6px',
    maxHeight: '360px',
    overflowY: 'auto',
  },
  line: { display: 'flex', justifyContent: 'space-between', gap: '12px', overflowWrap: 'anywhere' },
});

/** The devices of the incident, with how many of its alerts each has. */
export function IncidentDevices({ incident: { devices, alerts } }: { incident: IncidentDetail }) {
  const styles = useStyles();
  if (devices.length === 0) return null;
  const alertsOf = (device: string) => alerts.filter(({ deviceId }) => deviceId === device).length;
  return (
    <Section title="Devices" actions={<Muted>{count(devices.length, 'device')}</Muted>}>
      <ul className={styles.list}>
        {devices.map((device) => (
          <li key={device} className={styles.line}>
            <Link to={devicePath(device)}>{device}</Link>
            <Muted>{count(alertsOf(device), 'alert')}</Muted>
          </li>
        ))}
      </ul>
    </Section>
  );
}
