/** The custom alerts of one security group. What was changed counts once it is saved. */
import { Button, makeStyles, MessageBar, MessageBarBody } from '@fluentui/react-components';
import { Delete20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { usePutSecurityGroup, useRemoveSecurityGroup, useSecurityGroup } from '@/api/groups';
import type { SecurityGroup } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { formOf, problemOf, propertiesOf, type RuleForm } from '@/format/groups';
import { count } from '@/format/number';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { CustomRule } from './custom-rule';

const kParent = { path: '/security-groups', label: 'Security groups' };

const useStyles = makeStyles({
  stack: { display: 'flex', flexDirection: 'column', gap: '16px' },
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  rules: { listStyle: 'none', margin: 0, padding: 0 },
});

export default function GroupPage() {
  const name = useParams().name ?? '';
  const group = useSecurityGroup(name);
  return (
    <Page title={name} parent={kParent} actions={<Remove name={name} />}>
      <Loaded query={group} label="Loading the group">
        {(data) => <Rules key={name} name={name} group={data} />}
      </Loaded>
    </Page>
  );
}

/** What is being written, and the rules as they were when that began. */
interface Draft {
  rules: RuleForm[];
  begun: RuleForm[];
}

const same = (a: RuleForm[], b: RuleForm[]) => JSON.stringify(a) === JSON.stringify(b);

/** Another user's change shows when nothing is being written here; what is being written stays. */
function Rules({ name, group }: { name: string; group: SecurityGroup }) {
  const styles = useStyles();
  const mayChange = useMay('Contributor');
  const [draft, setDraft] = useState<Draft>();
  const put = usePutSecurityGroup(name);
  const { done } = useNotifications();
  const stored = formOf(group);
  const rules = draft?.rules ?? stored;
  const changed = !same(rules, stored);
  const overtaken = changed && draft !== undefined && !same(draft.begun, stored);
  const problems = rules.filter((rule) => problemOf(rule) !== '').length;
  const set = (type: string, next: RuleForm) =>
    setDraft((old) => ({
      rules: (old?.rules ?? stored).map((rule) => (rule.type === type ? next : rule)),
      begun: old?.begun ?? stored,
    }));
  const save = () =>
    put.mutate(propertiesOf(rules, group), {
      onSuccess: () => {
        setDraft(undefined);
        done('The custom alerts are in force');
      },
    });
  const list = (title: string, wanted: (rule: RuleForm) => boolean) => (
    <Section title={title}>
      <ul className={styles.rules}>
        {rules.filter(wanted).map((rule) => (
          <CustomRule key={rule.type} rule={rule} readOnly={!mayChange} onChange={(next) => set(rule.type, next)} />
        ))}
      </ul>
    </Section>
  );
  return (
    <div className={styles.stack}>
      {mayChange && (
        <div className={styles.bar}>
          <Button appearance="primary" disabled={!changed || problems > 0 || put.isPending} onClick={save}>
            Save
          </Button>
          <Button disabled={!changed || put.isPending} onClick={() => setDraft(undefined)}>
            Discard
          </Button>
          <span role="status">
            <Muted>{problems > 0 ? `${count(problems, 'rule')} cannot be saved` : changed ? 'Not saved yet' : ''}</Muted>
          </span>
        </div>
      )}
      {overtaken && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            Somebody else changed this group meanwhile. Save puts what is written here in its place; Discard shows what is in
            force.
          </MessageBarBody>
        </MessageBar>
      )}
      {put.error && (
        <MessageBar intent="error" layout="multiline" role="alert">
          <MessageBarBody>{put.error.message}</MessageBarBody>
        </MessageBar>
      )}
      {list('What is allowed', ({ values }) => values !== undefined)}
      {list('How much is usual', ({ window }) => window !== undefined)}
    </div>
  );
}

function Remove({ name }: { name: string }) {
  const mayRemove = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const remove = useRemoveSecurityGroup();
  const { done } = useNotifications();
  const navigate = useNavigate();
  if (!mayRemove) return null;
  return (
    <>
      <Button icon={<Delete20Regular />} onClick={() => setAsking(true)}>
        Remove all
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Remove the custom alerts of ${name}?`}
          confirmLabel="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() =>
            remove.mutate(name, {
              onSuccess: () => {
                done('The custom alerts were removed');
                navigate('/security-groups');
              },
            })
          }
          onClose={() => setAsking(false)}
        >
          Its devices stay in the group.
        </ConfirmDialog>
      )}
    </>
  );
}
