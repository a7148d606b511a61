/** The workbooks there are; import of further ones. */
import { Badge, Button, Card, makeStyles, SearchBox, tokens, Tooltip } from '@fluentui/react-components';
import { ArrowUpload20Regular, Delete20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useRemoveWorkbook, useWorkbooks, type WorkbookSummary } from '@/api/workbooks';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { Loaded } from '@/parts/loaded';
import { Muted, Page } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { ImportWorkbookDialog } from './import-workbook-dialog';

const useStyles = makeStyles({
  search: { width: '280px', maxWidth: '100%' },
  grid: { display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(min(300px, 100%), 1fr))', gap: '12px' },
  card: { gap: '6px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  text: { flexGrow: 1, overflowWrap: 'anywhere', color: tokens.colorNeutralForeground2 },
  foot: { display: 'flex', alignItems: 'center', gap: '8px', minHeight: '32px' },
  spring: { flexGrow: 1 },
});

export const workbookPath = (name: string) => `/workbooks/${encodeURIComponent(name)}`;

export default function WorkbooksPage() {
  const styles = useStyles();
  const { get, set } = useFilters(['q']);
  const may = useMay('Contributor');
  const workbooks = useWorkbooks();
  const [importing, setImporting] = useState(false);
  const [removing, setRemoving] = useState<WorkbookSummary>();
  const wanted = get('q').toLowerCase();
  return (
    <Page
      title="Workbooks"
      actions={
        may && (
          <Button icon={<ArrowUpload20Regular />} onClick={() => setImporting(true)}>
            Import a workbook
          </Button>
        )
      }
    >
      <SearchBox
        className={styles.search}
        aria-label="Search workbooks"
        placeholder="Name or description"
        value={get('q')}
        onChange={(_, data) => set('q', data.value)}
      />
      <Loaded query={workbooks} label="Loading workbooks">
        {(items) => {
          const shown = items.filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(wanted));
          if (shown.length === 0) {
            return (
              <EmptyState title="No such workbook">
                Azure Workbook JSON and ARM templates with workbooks can be imported as they are.
              </EmptyState>
            );
          }
          return (
            <div className={styles.grid} role="list" aria-label="Workbooks">
              {shown.map((item) => (
                <Card key={item.name} className={styles.card} role="listitem">
                  <h2 className={styles.title}>
                    <Link to={workbookPath(item.name)}>{item.name}</Link>
                  </h2>
                  <div className={styles.text}>{item.description}</div>
                  <div className={styles.foot}>
                    {item.shipped ? <Badge appearance="tint">Picket</Badge> : <Muted>by {item.user}</Muted>}
                    <span className={styles.spring} />
                    {may && !item.shipped && (
                      <Tooltip content={`Remove ${item.name}`} relationship="label">
                        <Button appearance="subtle" icon={<Delete20Regular />} onClick={() => setRemoving(item)} />
                      </Tooltip>
                    )}
                  </div>
                </Card>
              ))}
            </div>
          );
        }}
      </Loaded>
      {importing && <ImportWorkbookDialog onClose={() => setImporting(false)} />}
      {removing && <Remove workbook={removing} onClose={() => setRemoving(undefined)} />}
    </Page>
  );
}

function Remove({ workbook, onClose }: { workbook: WorkbookSummary; onClose(): void }) {
  const remove = useRemoveWorkbook();
  return (
    <ConfirmDialog
      title={`Remove ${workbook.name}?`}
      confirmLabel="Remove"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(workbook.name, { onSuccess: onClose })}
      onClose={onClose}
    >
      The workbook goes away for everybody. One that came with Picket under the same name is shown again.
    </ConfirmDialog>
  );
}
