/** Alerts and what was done about them, in the order of time. */
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { IncidentTimelineEntry } from '@/api/types';
import { count } from '@/format/number';
import { timelineWords } from '@/format/triage';
import { alertPath, devicePath } from '@/parts/alert-table';
import { Muted, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column' },
  item: {
    display: 'grid',
    gridTemplateColumns: '180px minmax(0, 1fr)',
    gap: '0 16px',
    padding: '0 0 14px',
    '@media (max-width: 760px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  time: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase300 },
  body: {
    borderLeft: `2px solid ${tokens.colorNeutralStroke2}`,
    paddingLeft: '14px',
    minWidth: 0,
    overflowWrap: 'anywhere',
    display: 'flex',
    flexDirection: 'column',
    gap: '2px',
  },
  alert: { borderLeftColor: tokens.colorBrandStroke1 },
  line: { display: 'flex', gap: '0 8px', flexWrap: 'wrap', alignItems: 'center' },
  comment: { margin: 0, whiteSpace: 'pre-wrap' },
});

export function Timeline({ entries }: { entries: readonly IncidentTimelineEntry[] }) {
  const styles = useStyles();
  const words = timelineWords(entries);
  return (
    <Section title="Timeline">
      {entries.length === 0 ? (
        <EmptyState title="Nothing is known of it any more" />
      ) : (
        <ol className={styles.list}>
          {entries.map((entry, index) => (
            <li key={index} className={styles.item}>
              <span className={styles.time}>
                <TimeText value={entry.time} />
              </span>
              <div className={mergeClasses(styles.body, entry.kind === 'alert' && styles.alert)}>
                {entry.kind === 'alert' ? <AlertEntry entry={entry} /> : <span>{words[index]}</span>}
                {entry.comment && <p className={styles.comment}>{entry.comment}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

function AlertEntry({ entry }: { entry: IncidentTimelineEntry }) {
  const styles = useStyles();
  const { alertId = '', displayName = '', severity, deviceId, count: happenings = 1, tactics = [] } = entry;
  return (
    <>
      <span className={styles.line}>
        {severity && <SeverityBadge severity={severity} />}
        <Link to={alertPath(alertId)}>{displayName || alertId}</Link>
        {deviceId && <Link to={devicePath(deviceId)}>{deviceId}</Link>}
      </span>
      <Muted>
        {[tactics.join(', '), happenings > 1 ? count(happenings, 'happening') : ''].filter(Boolean).join(' · ')}
        {entry.endTime && entry.endTime !== entry.time && happenings > 1 && (
          <>
            {' until '}
            <TimeText value={entry.endTime} />
          </>
        )}
      </Muted>
    </>
  );
}
