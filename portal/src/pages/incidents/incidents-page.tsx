/** Alerts that belong together: on one device, over several, or by an analytics rule. */
import { ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { useMemo } from 'react';
import { useIncidents } from '@/api/incidents';
import type { Incident, IncidentFilters, IncidentStatus, Severity } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { kSeverities } from '@/format/severity';
import { kIncidentStatuses } from '@/format/triage';
import { Choice } from '@/parts/choice';
import { FilterBar } from '@/parts/filter-bar';
import { kIncidentKinds } from '@/parts/incident-badges';
import { Loaded, moreOf } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { IncidentTable } from './incident-table';

const kFilterNames = ['status', 'severity', 'kind', 'owner', 'device', 'merged'];

/** Without a choice only what is not closed is listed: that is the work to do. */
function statusesOf(text: string): IncidentStatus[] | undefined {
  if (text === 'any') return undefined;
  return kIncidentStatuses.includes(text as IncidentStatus) ? [text as IncidentStatus] : ['New', 'Active'];
}

export default function IncidentsPage() {
  const { get, set, clear, any } = useFilters(kFilterNames);
  const [status, severity, kind, merged] = [get('status'), get('severity'), get('kind'), get('merged')];
  const filters = useMemo<IncidentFilters>(
    () => ({
      status: statusesOf(status),
      severity: severity ? [severity as Severity] : undefined,
      kind: (kind || undefined) as Incident['kind'] | undefined,
      device: get('device') || undefined,
      owner: get('owner') || undefined,
      merged: merged === 'true' ? 'true' : undefined,
    }),
    [status, severity, kind, merged, get],
  );
  const incidents = useIncidents(filters);
  const items = incidents.data?.pages.flatMap((page) => page.items) ?? [];
  const total = incidents.data?.pages[0]?.total ?? 0;
  return (
    <Page title="Incidents">
      <FilterBar
        label="Filter incidents"
        search={{
          label: 'Device',
          placeholder: 'Device id; empty: all',
          value: get('device'),
          onChange: (text) => set('device', text),
        }}
        onClear={any ? clear : undefined}
        total={incidents.data && count(total, 'incident')}
      >
        <Choice
          label="Status"
          value={status}
          all="Not closed"
          options={[...kIncidentStatuses.map((name) => [name, name] as const), ['any', 'Any status']]}
          onChoose={(value) => set('status', value)}
        />
        <Choice
          label="Severity"
          value={severity}
          all="Any severity"
          options={kSeverities.slice(0, 3).map((name) => [name, name] as const)}
          onChoose={(value) => set('severity', value)}
        />
        <Choice
          label="Kind"
          value={kind}
          all="Any kind"
          options={Object.entries(kIncidentKinds)}
          onChoose={(value) => set('kind', value)}
        />
        <Choice
          label="Merged"
          value={merged}
          all="Without merged ones"
          options={[['true', 'With merged ones']]}
          onChoose={(value) => set('merged', value)}
        />
      </FilterBar>
      <Loaded query={incidents} label="Loading incidents">
        {() =>
          items.length > 0 ? (
            <Section title={status === '' ? 'Open incidents' : 'Incidents'} flush>
              <IncidentTable
                incidents={items}
                stale={incidents.isPlaceholderData}
                more={moreOf(incidents, items.length, total)}
              />
            </Section>
          ) : any ? (
            <EmptyState title="No incident matches">Change or clear the filters above.</EmptyState>
          ) : (
            <EmptyState icon={<ShieldCheckmark24Regular />} title="No open incidents">
              Alerts that have something in common on one device, or the same address or indicator on several devices, are brought
              together here.
            </EmptyState>
          )
        }
      </Loaded>
    </Page>
  );
}
