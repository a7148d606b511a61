/** Every check of the baseline on the device: result, what was seen, what is expected, what to do. */
import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, Badge, Button, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useKql } from '@/api/queries';
import { checksOf, kResults, resultText, searchChecks, type BaselineCheck } from '@/format/baseline';
import { baselineQuery, logsPath } from '@/format/kql';
import { count } from '@/format/number';
import { Choice } from '@/parts/choice';
import { FilterBar } from '@/parts/filter-bar';
import { Loaded } from '@/parts/loaded';
import { Facts, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const kTimespan = 'P30D';
const kRowsMax = 5_000;
const kStepRows = 100;
const kColors: Record<string, 'danger' | 'warning' | 'success' | 'subtle'> = {
  FAIL: 'danger',
  ERROR: 'warning',
  PASS: 'success',
};

const useStyles = makeStyles({
  filters: { padding: '0 16px 8px' },
  head: { display: 'flex', gap: '10px', alignItems: 'center', textAlign: 'left', minWidth: 0 },
  id: { flexShrink: 0 },
  badge: { flexShrink: 0 },
  panel: { padding: '4px 8px 12px 36px' },
  more: { padding: '8px 16px 12px' },
});

export function BaselineChecks({ deviceId }: { deviceId: string }) {
  const query = baselineQuery(deviceId);
  const answer = useKql({ query, timespan: kTimespan, max_rows: kRowsMax });
  return (
    <Section title="Checks of the baseline" actions={<Link to={logsPath(query, kTimespan)}>Open in Logs</Link>} flush>
      <Loaded query={answer} label="Loading checks">
        {(data) => <Checks checks={checksOf(data)} />}
      </Loaded>
    </Section>
  );
}

function Checks({ checks }: { checks: readonly BaselineCheck[] }) {
  const styles = useStyles();
  const [q, setQ] = useState('');
  const [result, setResult] = useState<string>();
  const [rows, setRows] = useState(kStepRows);
  if (checks.length === 0)
    return (
      <EmptyState title="The baseline of this device is not known">
        Its agent checks once a day and at start; <code>picket-agent baseline</code> on the device does it now.
      </EmptyState>
    );
  const failed = checks.filter((check) => check.result === 'FAIL').length;
  const wanted = result ?? (failed > 0 ? 'FAIL' : '');
  const found = searchChecks(checks, q, wanted);
  return (
    <>
      <div className={styles.filters}>
        <FilterBar
          label="Filter checks"
          search={{ label: 'Search checks', placeholder: 'Number or words', value: q, onChange: setQ }}
          total={`${count(found.length, 'check')}; ${failed} of ${checks.length} failed`}
        >
          <Choice label="Result" value={wanted} all="Any result" options={kResults} onChoose={setResult} />
        </FilterBar>
      </div>
      {found.length === 0 && <EmptyState title="No check matches">Change the filters above.</EmptyState>}
      <Accordion collapsible multiple>
        {found.slice(0, rows).map((check) => (
          <Check key={check.id} check={check} />
        ))}
      </Accordion>
      {found.length > rows && (
        <div className={styles.more}>
          <Button onClick={() => setRows(found.length)}>Show all {found.length}</Button>
        </div>
      )}
    </>
  );
}

function Check({ check }: { check: BaselineCheck }) {
  const styles = useStyles();
  return (
    <AccordionItem value={check.id}>
      <AccordionHeader size="small" inline={false}>
        <span className={styles.head}>
          <Badge className={styles.badge} appearance="tint" color={kColors[check.result] ?? 'subtle'}>
            {resultText(check.result)}
          </Badge>
          <span className={styles.id}>{check.id}</span>
          <span>{check.description}</span>
        </span>
      </AccordionHeader>
      <AccordionPanel className={styles.panel}>
        <Facts
          facts={[
            ['Seen', check.observed],
            ['Expected', check.expected],
            ['What to do', check.remediation],
            ['Severity', check.severity],
            ['Group', check.group],
            ['Checked', <TimeText key="seen" value={check.seen} />],
          ]}
        />
      </AccordionPanel>
    </AccordionItem>
  );
}
