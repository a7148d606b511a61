/** What the device runs, from whom that is known, and the documents in and out. */
import { Button, makeStyles } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { buildUrl } from '@/api/client';
import { useDeviceSoftware } from '@/api/software';
import type { DeviceSoftware as Software, SoftwareComponent } from '@/api/types';
import { count } from '@/format/number';
import { searchComponents } from '@/format/vulnerability';
import { FilterBar } from '@/parts/filter-bar';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { ImportSbom } from './import-sbom';
import { SoftwareSources } from './software-sources';

const kStepRows = 200;
const useStyles = makeStyles({
  stack: { display: 'flex', flexDirection: 'column', gap: '16px' },
  actions: { display: 'flex', gap: '8px', flexWrap: 'wrap' },
});

const kColumns: ColumnDef<SoftwareComponent>[] = [
  {
    id: 'name',
    header: 'Software',
    meta: { width: '24%' },
    cell: ({ row: { original } }) => (
      <span title={[original.name, original.vendor].filter(Boolean).join('\n')}>{original.name}</span>
    ),
  },
  {
    id: 'version',
    header: 'Version',
    meta: { width: '20%' },
    cell: ({ row }) => <span title={row.original.version}>{row.original.version}</span>,
  },
  { id: 'type', header: 'Kind', meta: { width: '80px' }, cell: ({ row }) => row.original.type },
  {
    id: 'source',
    header: 'Source package',
    meta: { width: '16%', widestOnly: true },
    cell: ({ row: { original } }) => <span title={original.sourceVersion}>{original.sourceName || <Muted>the same</Muted>}</span>,
  },
  {
    id: 'purl',
    header: 'Package URL',
    cell: ({ row: { original } }) => <code title={original.purl}>{original.purl ?? original.evidence}</code>,
  },
];

const kExports = [
  ['cyclonedx', 'CycloneDX 1.6', 'cdx.json'],
  ['spdx', 'SPDX 2.3', 'spdx.json'],
] as const;

export function DeviceSoftware({ deviceId }: { deviceId: string }) {
  const styles = useStyles();
  const software = useDeviceSoftware(deviceId);
  return (
    <Loaded query={software} label="Loading software">
      {(data) => (
        <div className={styles.stack}>
          <div className={styles.actions}>
            <ImportSbom deviceId={deviceId} />
            {data.items.length > 0 &&
              kExports.map(([format, name, ending]) => (
                <Button
                  key={format}
                  as="a"
                  icon={<ArrowDownload20Regular />}
                  href={buildUrl('/sbom/devices/{id}/document', { id: deviceId }, { format })}
                  download={`${deviceId}.${ending}`}
                >
                  {name}
                </Button>
              ))}
          </div>
          <Components software={data} />
          <SoftwareSources deviceId={deviceId} sources={data.sources} />
        </div>
      )}
    </Loaded>
  );
}

function Components({ software: { items } }: { software: Software }) {
  const [q, setQ] = useState('');
  const [rows, setRows] = useState(kStepRows);
  const found = searchComponents(items, q);
  if (items.length === 0)
    return (
      <EmptyState title="Nothing is known of the software of this device">
        The agent reports what is installed within its first hour. For firmware without it, import a CycloneDX or SPDX document.
      </EmptyState>
    );
  return (
    <>
      <FilterBar
        label="Filter software"
        search={{
          label: 'Search software',
          placeholder: 'Name, version or package URL',
          value: q,
          onChange: (text) => {
            setQ(text);
            setRows(kStepRows);
          },
        }}
        total={count(found.length, 'component')}
      />
      {found.length === 0 ? (
        <EmptyState title="No software matches">Change the search above.</EmptyState>
      ) : (
        <Section title="Software" flush>
          <ListTable
            label="Software"
            columns={kColumns}
            rows={found.slice(0, rows)}
            rowId={({ type, name, version, architecture = '', purl = '' }) => [type, name, version, architecture, purl].join(' ')}
            more={
              found.length > rows
                ? {
                    load: () => setRows((old) => old + kStepRows),
                    loading: false,
                    label: `Show more (${rows} of ${found.length})`,
                  }
                : undefined
            }
          />
        </Section>
      )}
    </>
  );
}
