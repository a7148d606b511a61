/** What every feed says of one vulnerability of one device, and what decided. */
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { Dismiss16Regular } from '@fluentui/react-icons';
import { Link } from 'react-router-dom';
import { useExplanation } from '@/api/software';
import type { Finding } from '@/api/types';
import { justificationText } from '@/format/vulnerability';
import { Loaded } from '@/parts/loaded';
import { Facts, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';
import { VexButton } from '@/parts/vex-dialog';
import { StandingBadge, VulnerabilitySeverity, vulnerabilityPath } from '@/parts/vulnerability-parts';
import { WebLink } from '@/parts/web-link';

const useStyles = makeStyles({
  list: { display: 'flex', flexDirection: 'column', gap: '16px' },
  word: { borderLeft: `2px solid ${tokens.colorBrandStroke2}`, paddingLeft: '14px', minWidth: 0 },
  head: {
    display: 'flex',
    gap: '4px 10px',
    flexWrap: 'wrap',
    alignItems: 'center',
    marginBottom: '6px',
    overflowWrap: 'anywhere',
  },
  reason: { margin: '0 0 10px', overflowWrap: 'anywhere', maxWidth: '90ch' },
});

export function WhyAffected({ deviceId, id, onClose }: { deviceId: string; id: string; onClose(): void }) {
  const styles = useStyles();
  const explanation = useExplanation(deviceId, id);
  const affected = explanation.data?.items.find(({ standing }) => standing === 'affected');
  return (
    <Section
      title={`Why ${id}?`}
      actions={
        <>
          <Link to={vulnerabilityPath(id)}>All devices</Link>
          <VexButton vulnerability={id} deviceId={deviceId} purl={affected?.component?.purl} />
          <Button
            size="small"
            appearance="subtle"
            icon={<Dismiss16Regular />}
            aria-label="Close the explanation"
            onClick={onClose}
          />
        </>
      }
    >
      <Loaded query={explanation} label="Asking every feed">
        {({ items, reason }) => (
          <div className={styles.list}>
            {reason && <p className={styles.reason}>{reason}</p>}
            {items.map((finding, index) => (
              <Word key={index} finding={finding} />
            ))}
            {items.length === 0 && !reason && 'No feed says anything about it.'}
          </div>
        )}
      </Loaded>
    </Section>
  );
}

function Word({ finding }: { finding: Finding }) {
  const styles = useStyles();
  const { component } = finding;
  return (
    <div className={styles.word}>
      <div className={styles.head}>
        <StandingBadge standing={finding.standing} />
        <VulnerabilitySeverity severity={finding.severity} score={finding.score} />
        <strong>
          {component?.name ?? finding.package} {component?.version ?? finding.version}
        </strong>
      </div>
      <p className={styles.reason}>{finding.reason}</p>
      {finding.summary && <p className={styles.reason}>{finding.summary}</p>}
      <Facts
        facts={[
          ['Your statement', finding.statement],
          ['Justification', finding.justification && justificationText(finding.justification)],
          ['Fixed in', finding.fixedIn],
          ['Status', finding.status],
          ['Feed', finding.feed],
          ['Advisory', finding.advisory],
          ['Rule', finding.rule],
          ['Confidence', finding.confidence],
          ['Compared as', [finding.package, finding.version].filter(Boolean).join(' ')],
          ['Ecosystem', finding.ecosystem],
          ['Published', finding.published && <TimeText key="published" value={finding.published} />],
          ['Note', finding.note],
          ['Package URL', component?.purl],
          ['Address', finding.url && <WebLink key="url" text={finding.url} />],
        ]}
      />
    </div>
  );
}
