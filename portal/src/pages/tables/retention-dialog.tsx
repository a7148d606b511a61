/** How long a table is kept from now on; or as the server's settings say, again. */
import { Button, Field, Input, MessageBar, MessageBarBody } from '@fluentui/react-components';
import { useState } from 'react';
import { useSetRetention, type Retention, type StoredTable } from '@/api/tables';
import { useNotifications } from '@/app/notifications';
import { daysOf, kDaysMax, keptText, retentionProblem } from '@/format/retention';
import { FormDialog } from '@/parts/form-dialog';
import { Muted } from '@/parts/page';

const kProblem = `A whole number from 0 to ${kDaysMax.toLocaleString('en')}.`;

/** Rows that are kept now would leave. */
function isShorter(now: Retention, wanted: Retention): boolean {
  const total = ({ days, archiveDays }: Retention) => (days === 0 ? Infinity : days + archiveDays);
  return total(wanted) < total(now);
}

export function RetentionDialog({ table, onClose }: { table: StoredTable; onClose(): void }) {
  const { name, retention } = table;
  const [days, setDays] = useState(String(retention.days));
  const [archive, setArchive] = useState(String(retention.archiveDays));
  const put = useSetRetention(name);
  const { done } = useNotifications();
  const wanted = { days: daysOf(days), archiveDays: daysOf(archive) };
  const problem = retentionProblem(wanted.days, wanted.archiveDays);
  const whole = wanted.days !== undefined && wanted.archiveDays !== undefined && !problem;
  const send = (order: Retention | undefined) =>
    put.mutate(order, {
      onSuccess: (made) => {
        done(`${name} is kept ${keptText(made.retention)}`);
        onClose();
      },
    });
  return (
    <FormDialog
      title={`How long ${name} is kept`}
      submitLabel="Keep so"
      invalid={!whole}
      pending={put.isPending}
      error={put.error}
      onSubmit={() => whole && send(wanted as Retention)}
      onClose={onClose}
    >
      <Field label="Days" required hint="0: for ever." validationMessage={wanted.days === undefined ? kProblem : undefined}>
        <Input value={days} inputMode="numeric" maxLength={5} onChange={(_, data) => setDays(data.value)} />
      </Field>
      <Field
        label="Then days in the archive"
        required
        hint="Parquet files; queries read them as before, more slowly. 0: none."
        validationMessage={wanted.archiveDays === undefined ? kProblem : problem}
      >
        <Input value={archive} inputMode="numeric" maxLength={5} onChange={(_, data) => setArchive(data.value)} />
      </Field>
      {whole && isShorter(retention, wanted as Retention) && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>What is older leaves within seconds and cannot be brought back.</MessageBarBody>
        </MessageBar>
      )}
      {retention.fromSettings ? (
        <Muted>Now as the server&apos;s settings say.</Muted>
      ) : (
        <div>
          <Button size="small" disabled={put.isPending} onClick={() => send(undefined)}>
            As the server&apos;s settings say
          </Button>
        </div>
      )}
    </FormDialog>
  );
}
