import { makeStyles, Tag } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Incident } from '@/api/types';
import { classificationText, reasonText } from '@/format/triage';
import { kIncidentKinds } from '@/parts/incident-badges';
import { Facts, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  stack: { display: 'flex', flexDirection: 'column', gap: '16px' },
  text: { margin: 0, maxWidth: '90ch', lineHeight: '1.5', overflowWrap: 'anywhere', whiteSpace: 'pre-line' },
  reasons: { margin: '4px 0 0', paddingLeft: '20px', overflowWrap: 'anywhere' },
  tags: { display: 'flex', gap: '6px', flexWrap: 'wrap', listStyle: 'none', margin: 0, padding: 0 },
});

/** What it is, why its alerts belong together, and how far the attack came. */
export function About({ incident }: { incident: Incident }) {
  const styles = useStyles();
  const { description, reasons, tactics, techniques = [] } = incident;
  return (
    <Section title="What happened">
      <div className={styles.stack}>
        {description && <p className={styles.text}>{description}</p>}
        {reasons.length > 0 && (
          <div>
            <strong>Why these alerts belong together</strong>
            <ul className={styles.reasons}>
              {reasons.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          </div>
        )}
        {tactics.length > 0 && (
          <ol className={styles.tags} aria-label="Stages of the kill chain">
            {tactics.map((tactic) => (
              <li key={tactic}>
                <Tag size="small" appearance="brand">
                  {tactic}
                </Tag>
              </li>
            ))}
          </ol>
        )}
        <Facts
          facts={[
            ['Kind', kIncidentKinds[incident.kind]],
            ['In common', incident.key],
            ['Started', <TimeText key="start" value={incident.startTime} />],
            ['Ended', <TimeText key="end" value={incident.endTime} />],
            ['Made', <TimeText key="made" value={incident.createdTime} />],
            ['Closed', incident.closedTime && <TimeText key="closed" value={incident.closedTime} />],
            ['Techniques', techniques.join(', ')],
            ['Owner', incident.owner],
            [
              'Classification',
              [classificationText(incident.classification), reasonText(incident.classificationReason)].filter(Boolean).join(', '),
            ],
            [
              'Wholly part of',
              incident.mergedInto && (
                <Link key="merged" to={`/incidents/${encodeURIComponent(incident.mergedInto)}`}>
                  another incident
                </Link>
              ),
            ],
          ]}
        />
      </div>
    </Section>
  );
}
