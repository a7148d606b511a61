import { makeStyles, Tag, tokens } from '@fluentui/react-components';
import { Link, useParams } from 'react-router-dom';
import { useAlert } from '@/api/queries';
import type { Alert } from '@/api/types';
import { exact } from '@/format/number';
import { classificationText, reasonText } from '@/format/triage';
import { devicePath } from '@/parts/alert-table';
import { Facts, Muted, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { ErrorState, Loading } from '@/parts/states';
import { AlertStatusBadge } from '@/parts/status-badges';
import { TimeText } from '@/parts/time-text';
import { AlertIncidents } from './alert-incidents';
import { EvidenceList } from './evidence-list';
import { History } from './history';
import { SuppressButton } from './suppress-button';
import { TriageForm } from './triage-form';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 2fr) minmax(300px, 1fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
  description: { margin: '0 0 16px', maxWidth: '90ch', lineHeight: '1.5', overflowWrap: 'anywhere' },
  steps: { margin: 0, paddingLeft: '20px', display: 'flex', flexDirection: 'column', gap: '8px', maxWidth: '90ch' },
  tags: { display: 'flex', gap: '6px', flexWrap: 'wrap' },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

const kNamedAbove = new Set(['DeviceId']);

export default function AlertPage() {
  const styles = useStyles();
  const alertId = useParams().alertId ?? '';
  const { data: alert, error, refetch } = useAlert(alertId);
  const parent = { path: '/alerts', label: 'Alerts' };
  if (!alert) {
    return (
      <Page title="Alert" parent={parent}>
        {error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the alert" />}
      </Page>
    );
  }
  return (
    <Page
      title={alert.displayName}
      parent={parent}
      actions={
        <>
          <SeverityBadge severity={alert.severity} />
          <AlertStatusBadge status={alert.status} />
          <SuppressButton alert={alert} />
        </>
      }
    >
      <div className={styles.columns}>
        <div className={styles.stack}>
          <WhatHappened alert={alert} />
          {alert.remediationSteps.length > 0 && (
            <Section title="What to do">
              <ol className={styles.steps}>
                {alert.remediationSteps.map((step, index) => (
                  <li key={index}>{step}</li>
                ))}
              </ol>
            </Section>
          )}
          <EvidenceList alert={alert} />
        </div>
        <div className={styles.stack}>
          <AlertIncidents incidents={alert.incidents} />
          <TriageForm alert={alert} />
          <Attack alert={alert} />
          <History changes={alert.changes} />
        </div>
      </div>
    </Page>
  );
}

function WhatHappened({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const extended = Object.entries(alert.extendedProperties).filter(([name]) => !kNamedAbove.has(name));
  return (
    <Section title="What happened">
      <p className={styles.description}>{alert.description}</p>
      <Facts
        facts={[
          [
            'Device',
            <Link key="device" to={devicePath(alert.deviceId)}>
              {alert.deviceId}
            </Link>,
          ],
          ['Security group', alert.group],
          ['Module', alert.moduleId],
          ['Owner', alert.owner],
          [
            'Classification',
            [classificationText(alert.classification), reasonText(alert.classificationReason)].filter(Boolean).join(', '),
          ],
          [
            'Suppressed by',
            alert.suppressedBy && (
              <Link key="suppressed" to="/suppressions">
                {alert.suppressedBy}
              </Link>
            ),
          ],
          ['Compromised entity', alert.compromisedEntity === alert.deviceId ? undefined : alert.compromisedEntity],
          ['Started', <TimeText key="start" value={alert.startTime} />],
          ['Ended', <TimeText key="end" value={alert.endTime} />],
          ['Happenings', alert.count && alert.count > 1 ? exact(alert.count) : undefined],
          ['Raised', alert.raisedTime && <TimeText key="raised" value={alert.raisedTime} />],
          ...extended.map(([name, value]) => [name, value] as const),
          [
            'Alert type',
            <span key="type" className={styles.mono}>
              {alert.alertType}
            </span>,
          ],
          [
            'Rule',
            alert.rule && (
              <span key="rule" className={styles.mono}>
                {alert.rule}
              </span>
            ),
          ],
        ]}
      />
    </Section>
  );
}

function Attack({ alert }: { alert: Alert }) {
  const styles = useStyles();
  const techniques = [...new Set([...alert.techniques, ...(alert.subTechniques ?? [])])];
  const aliases = (alert.techniqueAliases ?? []).filter((one) => !techniques.includes(one));
  if (alert.tactics.length + techniques.length === 0) return null;
  return (
    <Section title="MITRE ATT&CK">
      <div className={styles.tags}>
        {alert.tactics.map((tactic) => (
          <Tag key={tactic} size="small" appearance="brand">
            {tactic}
          </Tag>
        ))}
        {techniques.map((technique) => (
          <Tag key={technique} size="small">
            {technique}
          </Tag>
        ))}
      </div>
      {aliases.length > 0 && <Muted>Before v19: {aliases.join(', ')}</Muted>}
    </Section>
  );
}
