import { Badge } from '@fluentui/react-components';
import { LightbulbCheckmark20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import type { useRecommendations } from '@/api/queries';
import type { Recommendation } from '@/api/types';
import { Choice } from '@/parts/choice';
import { ListTable } from '@/parts/list-table';
import { Section } from '@/parts/page';
import { RecommendationStateBadge } from '@/parts/recommendation-parts';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

/** What a recommendation is about, in words: a device, or the hub when it names none. */
export const subjectOf = ({ deviceId, hub }: Recommendation) => deviceId || `The hub ${hub}`;

const kStateColumns: ColumnDef<Recommendation>[] = [
  {
    id: 'state',
    header: 'State',
    meta: { width: '120px' },
    cell: ({ row }) => <RecommendationStateBadge state={row.original.state} />,
  },
  {
    id: 'firstEvaluated',
    header: 'First found',
    meta: { width: '140px' },
    cell: ({ row }) => <TimeText relative value={row.original.firstEvaluated} />,
  },
  {
    id: 'updated',
    header: 'Last change',
    meta: { width: '140px', wideOnly: true },
    cell: ({ row }) => <TimeText relative value={row.original.updated} />,
  },
];

interface AffectedDevicesProps {
  query: ReturnType<typeof useRecommendations>;
  found: readonly Recommendation[];
  /** The one whose details are shown beside the table. */
  chosen: Recommendation | undefined;
  enabled: boolean;
  state: string;
  onState(state: string): void;
}

export function AffectedDevices({ query, found, chosen, enabled, state, onState }: AffectedDevicesProps) {
  const [params] = useSearchParams();
  const pathOf = ({ id }: Recommendation) => `?${new URLSearchParams({ ...Object.fromEntries(params), chosen: id })}`;
  const columns = useMemo<ColumnDef<Recommendation>[]>(
    () => [
      {
        id: 'deviceId',
        header: 'Device',
        cell: ({ row }) => {
          const current = row.original.id === chosen?.id;
          return (
            <>
              <Link replace to={pathOf(row.original)} aria-current={current || undefined} title={subjectOf(row.original)}>
                {subjectOf(row.original)}
              </Link>{' '}
              {current && (
                <Badge appearance="outline" color="brand" size="small">
                  Shown
                </Badge>
              )}
            </>
          );
        },
      },
      ...kStateColumns,
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [chosen?.id, params],
  );
  const total = query.data?.pages[0]?.total ?? 0;
  return (
    <Section
      title="Devices"
      flush
      actions={
        <Choice
          label="State"
          value={state}
          all="Active"
          options={[
            ['Resolved', 'Resolved'],
            ['any', 'Any state'],
          ]}
          onChoose={onState}
        />
      }
    >
      {!query.data ? (
        query.error ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading label="Loading devices" />
        )
      ) : found.length === 0 ? (
        <EmptyState
          icon={<LightbulbCheckmark20Regular />}
          title={state === '' ? 'No device needs this' : 'No device is in this state'}
        >
          {!enabled && 'This recommendation is switched off: Picket does not look for it.'}
        </EmptyState>
      ) : (
        <ListTable
          label="Devices"
          columns={columns}
          rows={found}
          rowId={({ id }) => id}
          rowPath={pathOf}
          more={
            query.hasNextPage
              ? {
                  load: () => void query.fetchNextPage(),
                  loading: query.isFetchingNextPage,
                  label: `Show more (${found.length} of ${total})`,
                }
              : undefined
          }
        />
      )}
    </Section>
  );
}
