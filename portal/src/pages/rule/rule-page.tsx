/** One rule: what it is about, who wrote it, what it did, and its text when it was imported. */
import { Button, makeStyles } from '@fluentui/react-components';
import { Delete20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router-dom';
import { useRemoveRuleFile, useRule, useRuleFile } from '@/api/queries';
import type { Rule } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { alertTypeQuery, logsPath } from '@/format/kql';
import { exact } from '@/format/number';
import { isWebAddress, kindName, severityOfLevel, techniqueOf } from '@/format/rules';
import { CopyButton } from '@/parts/copy-button';
import { JsonText } from '@/parts/json-text';
import { Facts, Page, Section } from '@/parts/page';
import { RuleSwitch } from '@/parts/rule-parts';
import { SeverityBadge } from '@/parts/severity-badge';
import { ErrorState, Loading } from '@/parts/states';
import { RemoveDialog } from './remove-dialog';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 3fr) minmax(300px, 2fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
  text: { margin: 0, maxWidth: '90ch', lineHeight: '1.5', overflowWrap: 'anywhere', whiteSpace: 'pre-line' },
  list: { margin: 0, paddingLeft: '20px', overflowWrap: 'anywhere' },
});

const kParent = { path: '/rules', label: 'Rules' };

export default function RulePage() {
  const id = useParams().id ?? '';
  const styles = useStyles();
  const { data: rule, error, refetch } = useRule(id);
  if (!rule) {
    return (
      <Page title="Rule" parent={kParent}>
        {error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the rule" />}
      </Page>
    );
  }
  return (
    <Page
      title={rule.title}
      parent={kParent}
      actions={
        <>
          <SeverityBadge severity={severityOfLevel(rule.level)} />
          <RuleSwitch rule={rule} label={rule.enabled ? 'On' : 'Off'} />
          {!rule.own && <Remove file={rule.file} />}
        </>
      }
    >
      <div className={styles.columns}>
        <div className={styles.stack}>
          <About rule={rule} />
          {!rule.own && <Source file={rule.file} />}
        </div>
        <div className={styles.stack}>
          <Section title="What it did since the server started">
            <Facts
              facts={[
                ['Matches', exact(rule.load.matches)],
                ['Looked at closer', exact(rule.load.lookedAt)],
                ['Throttled', exact(rule.load.throttled)],
                ['CPU time', `${exact(Math.round(rule.load.cpuMicroseconds / 1000))} ms`],
              ]}
            />
          </Section>
          <Origin rule={rule} />
        </div>
      </div>
    </Page>
  );
}

function About({ rule }: { rule: Rule }) {
  const styles = useStyles();
  const first = rule.alertType.split(', ')[0]!;
  return (
    <Section title="What it looks for" actions={<Link to={logsPath(alertTypeQuery(first), 'P30D')}>Its alerts in Logs</Link>}>
      <div className={styles.stack}>
        {rule.description && <p className={styles.text}>{rule.description}</p>}
        <Facts
          facts={[
            ['Raises', rule.alertType],
            ['Looks at', rule.logSource || kindName(rule.kind)],
            ['Techniques', rule.tags.map(techniqueOf).filter(Boolean).join(', ')],
            ['Status', rule.status],
            ['Id', rule.id],
          ]}
        />
        {rule.falsePositives.length > 0 && (
          <div>
            <strong>Fires without harm on</strong>
            <ul className={styles.list}>
              {rule.falsePositives.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Section>
  );
}

function Origin({ rule }: { rule: Rule }) {
  const styles = useStyles();
  return (
    <Section title="Where it is from">
      <div className={styles.stack}>
        <Facts
          facts={[
            ['Author', rule.author],
            ['License', rule.license],
            ['File', rule.own ? undefined : rule.file],
            ['Shipped', rule.own ? 'with Picket' : undefined],
            ['Filters', rule.filters.join(', ')],
          ]}
        />
        {rule.references.length > 0 && (
          <ul className={styles.list}>
            {rule.references.map((text) => (
              <li key={text}>
                {isWebAddress(text) ? (
                  <a href={text} target="_blank" rel="noreferrer noopener">
                    {text}
                  </a>
                ) : (
                  text
                )}
              </li>
            ))}
          </ul>
        )}
      </div>
    </Section>
  );
}

function Source({ file }: { file: string }) {
  const { data } = useRuleFile(file);
  if (!data) return null;
  return (
    <Section title="Text" actions={<CopyButton text={data.yaml} label="Copy the rules" />}>
      <JsonText label={`Rules of ${file}`} text={data.yaml} />
    </Section>
  );
}

function Remove({ file }: { file: string }) {
  const mayRemove = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const remove = useRemoveRuleFile();
  const { done } = useNotifications();
  const navigate = useNavigate();
  if (!mayRemove) return null;
  const onDone = () => {
    done(`${file} was removed`);
    navigate('/rules');
  };
  return (
    <>
      <Button icon={<Delete20Regular />} onClick={() => setAsking(true)}>
        Remove file
      </Button>
      {asking && (
        <RemoveDialog
          file={file}
          pending={remove.isPending}
          error={remove.error}
          onRemove={() => remove.mutate(file, { onSuccess: onDone })}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
