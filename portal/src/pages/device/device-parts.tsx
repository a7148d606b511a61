import { Badge, makeStyles, tokens } from '@fluentui/react-components';
import type { Device } from '@/api/types';
import { Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  table: {
    width: '100%',
    borderCollapse: 'collapse',
    '& th': {
      textAlign: 'left',
      fontWeight: tokens.fontWeightSemibold,
      fontSize: tokens.fontSizeBase200,
      color: tokens.colorNeutralForeground3,
      padding: '4px 8px 4px 0',
    },
    '& td': { padding: '7px 8px 7px 0', borderTop: `1px solid ${tokens.colorNeutralStroke3}`, overflowWrap: 'anywhere' },
  },
});

const kNothing = new Set(['off', 'unavailable', 'none']);

/** What this device can see, collector by collector, and by which means. */
export function Coverage({ device }: { device: Device }) {
  const styles = useStyles();
  const entries = Object.entries(device.coverage).sort(([a], [b]) => a.localeCompare(b));
  return (
    <Section title="Coverage">
      {entries.length === 0 ? (
        <EmptyState title="Nothing reported yet">
          The agent says what it can collect with its first message. <code>picket-agent preflight</code> on the device shows it
          too.
        </EmptyState>
      ) : (
        <table className={styles.table} aria-label="Coverage">
          <thead>
            <tr>
              <th scope="col">Collector</th>
              <th scope="col">Tier</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(([collector, tier]) => (
              <tr key={collector}>
                <td>{collector}</td>
                <td>
                  <Badge appearance="tint" color={kNothing.has(tier) ? 'warning' : 'brand'}>
                    {tier}
                  </Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

export function Modules({ modules }: { modules: Device['modules'] }) {
  const styles = useStyles();
  return (
    <Section title="Modules">
      {modules.length === 0 ? (
        <EmptyState title="No modules" />
      ) : (
        <table className={styles.table} aria-label="Modules">
          <thead>
            <tr>
              <th scope="col">Module</th>
              <th scope="col">Connection</th>
              <th scope="col">Last activity</th>
            </tr>
          </thead>
          <tbody>
            {modules.map((module) => (
              <tr key={module.moduleId}>
                <td>{module.moduleId}</td>
                <td>{module.connectionState}</td>
                <td>
                  <TimeText relative value={module.lastActivity} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
