/** One workbook: its parameters, texts and queries. What is chosen stands in the address, so that it can be shared. */
import { Button } from '@fluentui/react-components';
import { ArrowClockwise20Regular, ArrowDownload20Regular } from '@fluentui/react-icons';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useParams, useSearchParams } from 'react-router-dom';
import { useWorkbook, type Workbook } from '@/api/workbooks';
import { initialChoices, knownNames, readChoices, withCriteria, type Choices, type Chosen } from '@/format/workbook/choices';
import { saveFile } from '@/format/save-file';
import { everyParameter, readWorkbook } from '@/format/workbook/model';
import { Loaded } from '@/parts/loaded';
import { Muted, Page } from '@/parts/page';
import { WorkbookContext } from './context';
import { ItemList } from './item-list';

export default function WorkbookPage() {
  const { name = '' } = useParams();
  const workbook = useWorkbook(name);
  const client = useQueryClient();
  return (
    <Page
      title={name}
      parent={{ path: '/workbooks', label: 'Workbooks' }}
      actions={
        workbook.data && (
          <>
            <Button
              icon={<ArrowClockwise20Regular />}
              onClick={() => void client.invalidateQueries({ queryKey: ['workbook-run', name] })}
            >
              Refresh
            </Button>
            <Button
              icon={<ArrowDownload20Regular />}
              onClick={() => saveFile(`${name}.workbook`, JSON.stringify(workbook.data.document, null, 2), 'application/json')}
            >
              Export
            </Button>
          </>
        )
      }
    >
      <Loaded query={workbook} label="Loading the workbook">
        {(data) => <Shown key={`${data.name} ${data.changed ?? ''}`} workbook={data} />}
      </Loaded>
    </Page>
  );
}

function Shown({ workbook }: { workbook: Workbook }) {
  const items = useMemo(() => readWorkbook(workbook.document), [workbook]);
  const parameters = useMemo(() => everyParameter(items), [items]);
  const known = useMemo(() => knownNames(items), [items]);
  const [params, setParams] = useSearchParams();
  const [given] = useState(() => readChoices(params.get('v')));
  const byHand = useRef<Record<string, Chosen>>({ ...given });
  const [chosen, setChosen] = useState<Choices>(() => initialChoices(items, given));

  const choose = useCallback(
    (parameter: string, value: Chosen, hand: boolean) => {
      setChosen((old) => ({ ...old, [parameter]: value }));
      if (!hand) return;
      byHand.current[parameter] = value;
      setParams({ v: JSON.stringify(byHand.current) }, { replace: true });
    },
    [setParams],
  );
  const state = useMemo(() => {
    const choices = withCriteria(parameters, chosen);
    const unset = [...known].filter((one) => !(one in choices)).map((one) => [one, { values: ['…'] }] as [string, Chosen]);
    const spoken = { ...Object.fromEntries(unset), ...choices };
    return { name: workbook.name, parameters, known, choices, spoken, notes: workbook.notes, choose };
  }, [workbook, parameters, known, chosen, choose]);
  return (
    <WorkbookContext.Provider value={state}>
      {workbook.description && <Muted>{workbook.description}</Muted>}
      <ItemList items={items} />
    </WorkbookContext.Provider>
  );
}
