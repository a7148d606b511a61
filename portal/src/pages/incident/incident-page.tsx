/** One incident: why its alerts belong together, what happened in which order, and what was decided. */
import { makeStyles } from '@fluentui/react-components';
import { useParams } from 'react-router-dom';
import { useIncident } from '@/api/incidents';
import type { IncidentDetail } from '@/api/types';
import { count } from '@/format/number';
import { AlertTable } from '@/parts/alert-table';
import { IncidentStatusBadge } from '@/parts/incident-badges';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { About } from './about';
import { IncidentDevices } from './incident-devices';
import { IncidentEvents } from './incident-events';
import { IncidentTriageForm } from './incident-triage-form';
import { Timeline } from './timeline';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 2fr) minmax(300px, 1fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
});

const kParent = { path: '/incidents', label: 'Incidents' };

export default function IncidentPage() {
  const id = useParams().incidentId ?? '';
  const incident = useIncident(id);
  if (!incident.data) {
    return (
      <Page title={`Incident ${id}`} parent={kParent}>
        <Loaded query={incident} label="Loading the incident">
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <Detail incident={incident.data} />;
}

function Detail({ incident }: { incident: IncidentDetail }) {
  const styles = useStyles();
  const { number, title, alerts } = incident;
  return (
    <Page
      title={`${number}: ${title}`}
      parent={kParent}
      actions={
        <>
          <SeverityBadge severity={incident.severity} />
          <IncidentStatusBadge status={incident.status} />
        </>
      }
    >
      <div className={styles.columns}>
        <div className={styles.stack}>
          <About incident={incident} />
          <Timeline entries={incident.timeline} />
          <Section title="Alerts" actions={<Muted>{count(incident.alertCount, 'alert')}</Muted>} flush>
            <AlertTable compact label="Alerts of the incident" alerts={alerts} />
          </Section>
          <IncidentEvents id={incident.id} />
        </div>
        <div className={styles.stack}>
          <IncidentTriageForm incident={incident} />
          <IncidentDevices incident={incident} />
        </div>
      </div>
    </Page>
  );
}
