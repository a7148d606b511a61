import { Button } from '@fluentui/react-components';
import { useState } from 'react';
import { useIncidentEvents } from '@/api/incidents';
import { Loaded } from '@/parts/loaded';
import { Section } from '@/parts/page';
import { RawEventList } from '@/parts/raw-event-list';

/** The raw events behind all alerts; asked for by hand, since they come out of the workspace. */
export function IncidentEvents({ id }: { id: string }) {
  const [wanted, setWanted] = useState(false);
  const events = useIncidentEvents(id, wanted);
  return (
    <Section
      title="Raw events"
      flush={wanted}
      actions={
        !wanted && (
          <Button size="small" onClick={() => setWanted(true)}>
            Show
          </Button>
        )
      }
    >
      {wanted ? (
        <Loaded query={events} label="Loading raw events">
          {(data) => <RawEventList events={data} />}
        </Loaded>
      ) : (
        'What the devices reported that made these alerts, the first 100.'
      )}
    </Section>
  );
}
