/** The incidents that the alert is part of. */
import { makeStyles } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Alert } from '@/api/types';
import { incidentPath, IncidentStatusBadge } from '@/parts/incident-badges';
import { Section } from '@/parts/page';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '8px' },
  item: { display: 'flex', gap: '8px', alignItems: 'baseline', overflowWrap: 'anywhere' },
  badge: { flexShrink: 0 },
  link: { minWidth: 0 },
});

export function AlertIncidents({ incidents = [] }: Pick<Alert, 'incidents'>) {
  const styles = useStyles();
  if (incidents.length === 0) return null;
  return (
    <Section title={incidents.length === 1 ? 'Part of an incident' : 'Part of incidents'}>
      <ul className={styles.list}>
        {incidents.map(({ id, number = 0, title, status }) => (
          <li key={id} className={styles.item}>
            {status && (
              <span className={styles.badge}>
                <IncidentStatusBadge status={status} />
              </span>
            )}
            <Link className={styles.link} to={incidentPath(number)}>
              {title || `Incident ${number}`}
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
