/** The hub as it is set up, to read: tier, who may do what, which certificates it trusts, who may connect. */
import { Badge } from '@fluentui/react-components';
import { useHubs } from '@/api/queries';
import type { Hub } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { Choice } from '@/parts/choice';
import { Facts, Page, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { HubCertificates } from './hub-certificates';
import { HubPolicies } from './hub-policies';
import { IpFilterRules } from './ip-filter-rules';

export default function HubPage() {
  const { get, set } = useFilters(['hub']);
  const { data: hubs, error, refetch } = useHubs();
  const hub = hubs?.find(({ name }) => name === get('hub')) ?? hubs?.[0];
  const others = hubs?.filter(({ name }) => name !== hubs[0]?.name) ?? [];
  return (
    <Page
      title="Hub"
      actions={
        hubs?.[0] &&
        others.length > 0 && (
          <Choice
            label="Hub"
            value={hub === hubs[0] ? '' : (hub?.name ?? '')}
            all={hubs[0].name}
            options={others.map(({ name }) => [name, name] as const)}
            onChoose={(name) => set('hub', name)}
          />
        )
      }
    >
      {hub ? (
        <Body key={hub.name} hub={hub} />
      ) : hubs ? (
        <EmptyState title="This installation has no hub" />
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading label="Loading the hub" />
      )}
    </Page>
  );
}

function Body({ hub }: { hub: Hub }) {
  return (
    <>
      <About hub={hub} />
      <HubPolicies hub={hub.name} />
      <IpFilterRules rules={hub.settings.ipFilterRules ?? []} />
      <HubCertificates hub={hub.name} />
    </>
  );
}

const kClientCertificates = { optional: 'Asked for', required: 'Required', off: 'Not asked for' } as const;

function About({ hub }: { hub: Hub }) {
  const { settings } = hub;
  return (
    <Section title={`About ${hub.name}`}>
      <Facts
        facts={[
          ['Tier', hub.tier === 'none' ? 'None: no limits but the machine' : `${hub.tier}, ${count(hub.units, 'unit')}`],
          ['Location', hub.location],
          ['Created', <TimeText key="created" value={hub.created} />],
          ['Last change', <TimeText key="updated" value={hub.updated} />],
          ['TLS at least', settings.minTlsVersion ?? '1.2'],
          ['Cipher suites', settings.ciphers ?? 'standard'],
          ['Client certificates', kClientCertificates[settings.clientCertificates ?? 'optional']],
          [
            'Longest life of a token',
            settings.sasLifetimeMinutesMax ? count(settings.sasLifetimeMinutesMax, 'minute') : 'Not limited',
          ],
          ['Messages are kept', count(settings.retentionTimeInDays ?? 1, 'day')],
          [
            'Built-in security',
            <Badge key="security" appearance="tint" color={settings.security === false ? 'warning' : 'success'}>
              {settings.security === false ? 'Off' : 'On'}
            </Badge>,
          ],
        ]}
      />
    </Section>
  );
}
