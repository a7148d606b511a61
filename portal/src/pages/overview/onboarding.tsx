/** Shown until there is a first device. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { Copyable } from '@/parts/copy-button';
import { Section } from '@/parts/page';

const useStyles = makeStyles({
  steps: { margin: 0, paddingLeft: '20px', display: 'flex', flexDirection: 'column', gap: '12px' },
  step: { '& p': { margin: '0 0 4px' } },
  lead: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
});

export function Onboarding() {
  const styles = useStyles();
  return (
    <Section title="Add your first device">
      <p className={styles.lead}>Picket is running and waits for a device. Two steps on the machine that you want to watch:</p>
      <ol className={styles.steps}>
        <li className={styles.step}>
          <p>Make its identity. This prints a connection string:</p>
          <Copyable text="picket device add my-first-device" label="Copy the command" />
        </li>
        <li className={styles.step}>
          <p>Give it to the agent and send a harmless test event; its alert appears on this page by itself:</p>
          <Copyable text="picket-agent selftest" label="Copy the command" />
        </li>
      </ol>
    </Section>
  );
}
