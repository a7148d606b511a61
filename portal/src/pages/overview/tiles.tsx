/** The row of figures, each with the way to what is behind it. */
import { makeStyles, mergeClasses, tokens, Tooltip } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { Link } from 'react-router-dom';
import type { Overview } from '@/api/types';
import { count, exact, short } from '@/format/number';
import { kSeverities } from '@/format/severity';
import { duration } from '@/format/time';
import { Spoken } from '@/parts/spoken';
import { kSeverityIcons, useSeverityColors } from '@/parts/severity-badge';
import { logsPath } from '@/format/kql';

/** From this lag on an operator should look: the design promises one second at full load. */
const kLagWarnMs = 5_000;

const useStyles = makeStyles({
  row: {
    display: 'grid',
    gridTemplateColumns: 'minmax(330px, 1.6fr) repeat(4, minmax(130px, 1fr))',
    gap: '12px',
    '@media (max-width: 1250px)': { gridTemplateColumns: 'repeat(4, minmax(0, 1fr))' },
    '@media (max-width: 700px)': { gridTemplateColumns: 'repeat(2, minmax(0, 1fr))' },
  },
  tile: {
    display: 'flex',
    flexDirection: 'column',
    gap: '2px',
    padding: '12px 16px',
    borderRadius: tokens.borderRadiusMedium,
    background: tokens.colorNeutralBackground1,
    boxShadow: tokens.shadow4,
    color: tokens.colorNeutralForeground1,
    textDecoration: 'none',
    minWidth: 0,
  },
  wide: { '@media (max-width: 1250px)': { gridColumn: '1 / -1' } },
  link: {
    ':hover': { background: tokens.colorNeutralBackground1Hover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  name: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  figure: {
    whiteSpace: 'nowrap',
    fontSize: '26px',
    lineHeight: '34px',
    fontWeight: tokens.fontWeightSemibold,
    fontVariantNumeric: 'tabular-nums',
  },
  detail: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  warn: { color: tokens.colorPaletteDarkOrangeForeground1 },
  severities: { display: 'grid', gridTemplateColumns: 'repeat(4, 1fr)', gap: '4px' },
  severity: {
    position: 'relative',
    display: 'flex',
    flexDirection: 'column',
    textDecoration: 'none',
    color: tokens.colorNeutralForeground1,
    borderRadius: tokens.borderRadiusSmall,
    padding: '0 4px',
    margin: '0 -4px',
    ':hover': { background: tokens.colorNeutralBackground1Hover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  severityName: {
    display: 'flex',
    alignItems: 'center',
    gap: '4px',
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground2,
  },
  icon: { display: 'inline-flex' },
});

function Tile({
  name,
  figure,
  detail,
  to,
  hint,
  warn = false,
}: {
  name: string;
  figure: string;
  detail: ReactNode;
  to?: string;
  hint: string;
  warn?: boolean;
}) {
  const styles = useStyles();
  const content = (
    <>
      <span className={styles.name}>{name}</span>
      <span className={mergeClasses(styles.figure, warn && styles.warn)}>{figure}</span>
      <span className={styles.detail}>{detail}</span>
    </>
  );
  return (
    <Tooltip content={hint} relationship="description">
      {to ? (
        <Link to={to} className={mergeClasses(styles.tile, styles.link)}>
          {content}
        </Link>
      ) : (
        <div className={styles.tile}>{content}</div>
      )}
    </Tooltip>
  );
}

function OpenAlerts({ counts }: { counts: Overview['alerts']['open_by_severity'] }) {
  const styles = useStyles();
  const colors = useSeverityColors();
  return (
    <div className={mergeClasses(styles.tile, styles.wide)} role="group" aria-label="Open alerts">
      <span className={styles.name}>Open alerts</span>
      <div className={styles.severities}>
        {kSeverities.map((severity) => {
          const Icon = kSeverityIcons[severity];
          const word = severity === 'Informational' ? 'Info' : severity;
          return (
            <Link key={severity} to={`/alerts?severity=${severity}`} className={styles.severity}>
              <span className={styles.figure}>{short(counts[severity])}</span>
              <span className={styles.severityName}>
                <span className={mergeClasses(styles.icon, colors[severity])}>
                  <Icon />
                </span>
                {word} <Spoken>open alerts</Spoken>
              </span>
            </Link>
          );
        })}
      </div>
    </div>
  );
}

export function Tiles({ overview }: { overview: Overview }) {
  const styles = useStyles();
  const { devices, pipeline, dead_letters, events_per_minute, alerts } = overview;
  // The last entry is the minute under way; the one before it is whole.
  const lastMinute = events_per_minute.at(-2)?.count ?? events_per_minute.at(-1)?.count ?? 0;
  const hour = events_per_minute.reduce((sum, entry) => sum + entry.count, 0);
  return (
    <div className={styles.row}>
      <OpenAlerts counts={alerts.open_by_severity} />
      <Tile
        name="Devices reporting"
        figure={`${short(devices.reporting)}\u2009/\u2009${short(devices.total)}`}
        to="/devices"
        warn={devices.silent > 0}
        detail={
          devices.silent > 0
            ? `${exact(devices.silent)} silent`
            : devices.never > 0
              ? `${exact(devices.never)} never reported`
              : 'none silent'
        }
        hint="A device is silent when its last message is older than 15 minutes."
      />
      <Tile
        name="Events in the last minute"
        figure={short(lastMinute)}
        detail={`${short(hour)} in the last hour`}
        to={logsPath('SecurityIoTRawEvent\n| summarize count() by RawEventName', 'PT1H')}
        hint="Raw events that were stored."
      />
      <Tile
        name="Pipeline lag"
        figure={duration(pipeline.lag_ms)}
        detail={count(pipeline.lag_records, 'message') + ' waiting'}
        warn={pipeline.lag_ms > kLagWarnMs}
        hint="Age of the oldest message that was acknowledged but not yet looked at by the detectors."
      />
      <Tile
        name="Dead letters"
        figure={short(dead_letters.total)}
        detail={`${exact(dead_letters.last_hour)} in the last hour`}
        warn={dead_letters.last_hour > 0}
        to={logsPath('DeadLetter\n| sort by TimeGenerated desc\n| take 100')}
        hint="Messages that could not be decoded. They are kept, with the reason."
      />
    </div>
  );
}
