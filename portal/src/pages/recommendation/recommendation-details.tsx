import { makeStyles } from '@fluentui/react-components';
import { Link } from 'react-router-dom';
import type { Recommendation } from '@/api/types';
import { devicePath } from '@/parts/alert-table';
import { CopyButton } from '@/parts/copy-button';
import { JsonText } from '@/parts/json-text';
import { Facts, Section } from '@/parts/page';
import { RecommendationStateBadge } from '@/parts/recommendation-parts';
import { TimeText } from '@/parts/time-text';
import { subjectOf } from './affected-devices';

const useStyles = makeStyles({
  steps: { margin: 0, paddingLeft: '20px', display: 'flex', flexDirection: 'column', gap: '8px', maxWidth: '90ch' },
});

/** One device's recommendation: how it stands, what to do, and what was found there. */
export function RecommendationDetails({ recommendation }: { recommendation: Recommendation }) {
  const styles = useStyles();
  const { deviceId, state, firstEvaluated, updated, remediationSteps, additionalData } = recommendation;
  const data = JSON.stringify(additionalData, null, 2);
  return (
    <>
      <Section title={subjectOf(recommendation)} actions={deviceId && <Link to={devicePath(deviceId)}>Open the device</Link>}>
        <Facts
          facts={[
            ['State', <RecommendationStateBadge key="state" state={state} />],
            ['First found', <TimeText key="first" value={firstEvaluated} />],
            ['Last change', <TimeText key="updated" value={updated} />],
          ]}
        />
      </Section>
      {remediationSteps.length > 0 && (
        <Section title="What to do">
          <ol className={styles.steps}>
            {remediationSteps.map((step, index) => (
              <li key={index}>{step}</li>
            ))}
          </ol>
        </Section>
      )}
      {Object.keys(additionalData).length > 0 && (
        <Section title="What was found" actions={<CopyButton text={data} label="Copy what was found" />}>
          <JsonText label="What was found, as JSON" text={data} />
        </Section>
      )}
    </>
  );
}
