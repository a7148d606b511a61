/** Device security groups that have custom alerts. */
import { Button, Field, Input } from '@fluentui/react-components';
import { Add20Regular, GroupList20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { useSecurityGroups } from '@/api/groups';
import type { SecurityGroup } from '@/api/types';
import { useMay } from '@/app/session';
import { rulesOn } from '@/format/groups';
import { count, exact } from '@/format/number';
import { FormDialog } from '@/parts/form-dialog';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';

export const groupPath = (name: string) => `/security-groups/${encodeURIComponent(name)}`;

const kColumns: ColumnDef<SecurityGroup>[] = [
  { id: 'name', header: 'Group', cell: ({ row }) => <Link to={groupPath(row.original.name)}>{row.original.name}</Link> },
  {
    id: 'on',
    header: 'Custom alerts on',
    meta: { width: '150px', numeric: true },
    cell: ({ row }) => exact(rulesOn(row.original)),
  },
  {
    id: 'links',
    header: '',
    meta: { width: '220px' },
    cell: ({ row: { original } }) => (
      <>
        <Link to={`/devices?q=${encodeURIComponent(original.name)}`} aria-label={`Devices of ${original.name}`}>
          Devices
        </Link>{' '}
        ·{' '}
        <Link to={`/posture?group=${encodeURIComponent(original.name)}`} aria-label={`Posture of ${original.name}`}>
          Posture
        </Link>
      </>
    ),
  },
];

export default function GroupsPage() {
  const mayAdd = useMay('Contributor');
  const [adding, setAdding] = useState(false);
  const groups = useSecurityGroups();
  return (
    <Page
      title="Security groups"
      actions={
        mayAdd && (
          <Button icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Custom alerts of a group
          </Button>
        )
      }
    >
      <Muted>
        A device belongs to the group that the tag SecurityGroup of its twin names, else to the group default. Custom alerts say
        what is usual for a group; what is not raises a Low alert.
      </Muted>
      <Loaded query={groups} label="Loading security groups">
        {(items) =>
          items.length > 0 ? (
            <Section title="Groups with custom alerts" actions={<Muted>{count(items.length, 'group')}</Muted>} flush>
              <ListTable
                label="Security groups"
                columns={kColumns}
                rows={items}
                rowId={({ name }) => name}
                rowPath={({ name }) => groupPath(name)}
              />
            </Section>
          ) : (
            <EmptyState icon={<GroupList20Regular />} title="No group has custom alerts">
              Say how many messages, connections or failed logins are usual, which networks may be reached, who may log in, what
              may run.
            </EmptyState>
          )
        }
      </Loaded>
      {adding && <NameDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}

function NameDialog({ onClose }: { onClose(): void }) {
  const [name, setName] = useState('');
  const navigate = useNavigate();
  return (
    <FormDialog
      title="Custom alerts of a group"
      submitLabel="Go on"
      invalid={name.trim() === ''}
      pending={false}
      error={null}
      onSubmit={() => navigate(groupPath(name.trim()))}
      onClose={onClose}
    >
      <Field
        label="Security group"
        required
        hint="As the tag SecurityGroup of the twins says it; default for devices without one."
      >
        <Input value={name} maxLength={128} onChange={(_, data) => setName(data.value)} />
      </Field>
    </FormDialog>
  );
}
