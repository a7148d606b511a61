/** Vulnerabilities of the fleet in the order of urgency: exploited, likely to be, grave. */
import { Bug20Regular } from '@fluentui/react-icons';
import { Link } from 'react-router-dom';
import { useAdvisoryFeeds, useVulnerabilities } from '@/api/software';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { kVulnerabilitySeverities } from '@/format/vulnerability';
import { Choice } from '@/parts/choice';
import { FilterBar } from '@/parts/filter-bar';
import { Loaded, moreOf } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { VexExport } from '@/parts/vex-export';
import { VulnerabilityTabs } from '@/parts/vulnerability-parts';
import { VulnerabilityTable } from './vulnerability-table';

const kFilterNames = ['q', 'severity', 'exploited'];

export default function VulnerabilitiesPage() {
  const { get, set, clear, any } = useFilters(kFilterNames);
  const found = useVulnerabilities({
    q: get('q') || undefined,
    severity: get('severity') || undefined,
    exploited: get('exploited') === 'true' ? true : get('exploited') === 'false' ? false : undefined,
  });
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  return (
    <Page title="Vulnerabilities">
      <VulnerabilityTabs />
      <FilterBar
        label="Filter vulnerabilities"
        search={{
          label: 'Search vulnerabilities',
          placeholder: 'CVE or package',
          value: get('q'),
          onChange: (text) => set('q', text),
        }}
        onClear={any ? clear : undefined}
        total={found.data && count(total, 'vulnerability', 'vulnerabilities')}
      >
        <Choice
          label="Severity"
          value={get('severity')}
          all="Any severity"
          options={[['critical,high', 'Critical and high'], ...kVulnerabilitySeverities]}
          onChoose={(value) => set('severity', value)}
        />
        <Choice
          label="Exploited"
          value={get('exploited')}
          all="Exploited or not"
          options={[
            ['true', 'Known to be exploited'],
            ['false', 'Not known to be'],
          ]}
          onChoose={(value) => set('exploited', value)}
        />
      </FilterBar>
      <Loaded query={found} label="Loading vulnerabilities">
        {() =>
          items.length > 0 ? (
            <Section title="The most urgent first" actions={<VexExport />} flush>
              <VulnerabilityTable items={items} stale={found.isPlaceholderData} more={moreOf(found, items.length, total)} />
            </Section>
          ) : any ? (
            <EmptyState title="No vulnerability matches">Change or clear the filters above.</EmptyState>
          ) : (
            <Nothing />
          )
        }
      </Loaded>
    </Page>
  );
}

/** Nothing found is only good news when there is something to compare with. */
function Nothing() {
  const { data } = useAdvisoryFeeds();
  if (!data) return null;
  return data.items.length === 0 ? (
    <EmptyState icon={<Bug20Regular />} title="No feed of advisories is read">
      What devices run is compared with feeds of advisories. <Link to="/vulnerabilities/feeds">Add a feed</Link>; without a
      network, a file or a signed bundle will do.
    </EmptyState>
  ) : (
    <EmptyState icon={<Bug20Regular />} title="No device is known to be vulnerable">
      Compared with {count(data.advisories ?? 0, 'advisory', 'advisories')}. What devices run is in{' '}
      <Link to="/software">Software</Link>.
    </EmptyState>
  );
}
