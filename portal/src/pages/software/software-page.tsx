/** Software of the fleet: what, and on how many devices. */
import { Box20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { Link } from 'react-router-dom';
import { useSoftware } from '@/api/software';
import type { SoftwareComponent } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { componentQuery, logsPath } from '@/format/kql';
import { count, exact } from '@/format/number';
import { FilterBar } from '@/parts/filter-bar';
import { ListTable } from '@/parts/list-table';
import { Loaded, moreOf } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';

const kColumns: ColumnDef<SoftwareComponent>[] = [
  {
    id: 'name',
    header: 'Software',
    cell: ({ row: { original } }) => <span title={original.purl ?? original.name}>{original.name}</span>,
  },
  {
    id: 'version',
    header: 'Version',
    meta: { width: '22%' },
    cell: ({ row }) => <span title={row.original.version}>{row.original.version}</span>,
  },
  { id: 'type', header: 'Kind', meta: { width: '92px' }, cell: ({ row }) => row.original.type },
  {
    id: 'source',
    header: 'Source package',
    meta: { width: '18%', wideOnly: true },
    cell: ({ row: { original } }) => <span title={original.sourceVersion}>{original.sourceName || <Muted>the same</Muted>}</span>,
  },
  {
    id: 'devices',
    header: 'Devices',
    meta: { width: '96px', numeric: true },
    cell: ({ row: { original } }) => (
      <Link
        to={logsPath(componentQuery(original.name, original.version), 'P30D')}
        aria-label={`${count(original.devices ?? 0, 'device')} with ${original.name} ${original.version} in Logs`}
      >
        {exact(original.devices ?? 0)}
      </Link>
    ),
  },
];

export default function SoftwarePage() {
  const { get, set, clear, any } = useFilters(['q']);
  const found = useSoftware(get('q'));
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  return (
    <Page title="Software">
      <FilterBar
        label="Filter software"
        search={{
          label: 'Search software',
          placeholder: 'Name, version or package URL',
          value: get('q'),
          onChange: (text) => set('q', text),
        }}
        onClear={any ? clear : undefined}
        total={found.data && count(total, 'component')}
      />
      <Loaded query={found} label="Loading software">
        {() =>
          items.length > 0 ? (
            <Section title="On most devices first" flush>
              <ListTable
                label="Software"
                columns={kColumns}
                rows={items}
                rowId={({ type, name, version, architecture = '', purl = '' }) =>
                  [type, name, version, architecture, purl].join(' ')
                }
                stale={found.isPlaceholderData}
                more={moreOf(found, items.length, total)}
              />
            </Section>
          ) : any ? (
            <EmptyState title="No software matches">Change or clear the search above.</EmptyState>
          ) : (
            <EmptyState icon={<Box20Regular />} title="Nothing is known of the software of devices">
              The agent reports what is installed. For firmware without it, import a CycloneDX or SPDX document on the page of the
              device.
            </EmptyState>
          )
        }
      </Loaded>
    </Page>
  );
}
