/** Shown until there is a first device. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { Copyable } from '@/parts/copy-button';
import { Section } from '@/parts/page';

const kSteps = [
  { text: 'On this server, make its identity. The answer is a connection string:', command: 'picket device add my-first-device' },
  {
    text: 'On the device, put that string into /etc/picket-agent/connection, closed to others, and start the agent:',
    command: 'picket-agent run --connection-string-file /etc/picket-agent/connection --ca-file ca.pem',
  },
  { text: 'Send a harmless test event. Its alert appears on the overview by itself:', command: 'picket-agent selftest' },
] as const;

const useStyles = makeStyles({
  steps: { margin: 0, paddingLeft: '20px', display: 'flex', flexDirection: 'column', gap: '12px' },
  step: { '& p': { margin: '0 0 4px' } },
  lead: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
});

export function Onboarding() {
  const styles = useStyles();
  return (
    <Section title="Add your first device">
      <p className={styles.lead}>Picket is running and waits for a device.</p>
      <ol className={styles.steps}>
        {kSteps.map(({ text, command }) => (
          <li key={command} className={styles.step}>
            <p>{text}</p>
            <Copyable text={command} label="Copy the command" />
          </li>
        ))}
      </ol>
    </Section>
  );
}
