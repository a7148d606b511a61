/** How secure the device is, as one number, and how it got there. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { useDeviceScore } from '@/api/posture';
import { exact } from '@/format/number';
import { kSeverities } from '@/format/severity';
import { BarChart } from '@/parts/chart';
import { Loaded } from '@/parts/loaded';
import { Muted, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(200px, 1fr) minmax(0, 3fr)',
    gap: '24px',
    '@media (max-width: 900px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  score: { fontSize: '40px', lineHeight: '48px', fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  line: { display: 'flex', justifyContent: 'space-between', gap: '12px', marginTop: '6px' },
});

export function DeviceScore({ deviceId }: { deviceId: string }) {
  const styles = useStyles();
  const score = useDeviceScore(deviceId);
  return (
    <Section title="Secure score" actions={<Muted>By day, the last 90</Muted>}>
      <Loaded query={score} label="Loading the score">
        {({ score: now, active, exempt, trend, formula }) => (
          <div className={styles.columns}>
            <div>
              <div className={styles.score} title={formula} aria-label={`${Math.round(now)} of 100`}>
                {Math.round(now)}
              </div>
              {kSeverities.map((severity) => (
                <div key={severity} className={styles.line}>
                  <SeverityBadge severity={severity} />
                  <span>{exact(active[severity])}</span>
                </div>
              ))}
              <div className={styles.line}>
                <span>Exempt</span>
                <span>{exact(exempt)}</span>
              </div>
            </div>
            <BarChart
              height={200}
              label={`Score by day; now ${Math.round(now)} of 100`}
              values={trend.map(({ day, score: then, lost }) => ({
                name: day.slice(0, 10),
                value: Math.round(then),
                tooltip: `${day.slice(0, 10)}, ${exact(lost)} points lost`,
              }))}
            />
          </div>
        )}
      </Loaded>
    </Section>
  );
}
