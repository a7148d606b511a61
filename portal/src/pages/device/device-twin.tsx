/** The twin of a device or of one of its modules: what is wanted, what is reported, and a way to change the former. */
import { Button, makeStyles, Switch } from '@fluentui/react-components';
import { Edit20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useTwin } from '@/api/queries';
import type { Device, JsonObject, Twin } from '@/api/types';
import { useMay } from '@/app/session';
import { useFilters } from '@/app/use-filters';
import { withoutMetadata } from '@/format/json';
import { Choice } from '@/parts/choice';
import { CopyButton } from '@/parts/copy-button';
import { JsonText } from '@/parts/json-text';
import { Muted, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TwinPatchDialog } from './twin-patch-dialog';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '12px', alignItems: 'center', flexWrap: 'wrap' },
  columns: {
    display: 'grid',
    gridTemplateColumns: 'repeat(2, minmax(0, 1fr))',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
});

export function DeviceTwin({ device }: { device: Device }) {
  const styles = useStyles();
  const { get, set } = useFilters(['module']);
  const mayChange = useMay('Contributor');
  const [editing, setEditing] = useState(false);
  const [metadata, setMetadata] = useState(false);
  const module = device.modules.find(({ moduleId }) => moduleId === get('module'))?.moduleId;
  const { data: twin, error, refetch } = useTwin(device.deviceId, module);
  return (
    <>
      <div className={styles.bar}>
        <Choice
          label="Twin of"
          value={module ?? ''}
          all="The device"
          options={device.modules.map(({ moduleId }) => [moduleId, moduleId] as const)}
          onChoose={(value) => set('module', value)}
        />
        <Switch label="Show metadata" checked={metadata} onChange={(_, data) => setMetadata(data.checked)} />
        {twin && <Muted>Version {twin.version}</Muted>}
        {twin && <CopyButton label="Copy the whole twin" text={() => JSON.stringify(twin, null, 2)} />}
        {twin && mayChange && (
          <Button icon={<Edit20Regular />} onClick={() => setEditing(true)}>
            Change…
          </Button>
        )}
      </div>
      {twin ? (
        <Sections twin={twin} metadata={metadata} />
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading label="Loading the twin" />
      )}
      {editing && (
        <TwinPatchDialog deviceId={device.deviceId} module={module} etag={twin?.etag} onClose={() => setEditing(false)} />
      )}
    </>
  );
}

function Sections({ twin, metadata }: { twin: Twin; metadata: boolean }) {
  const styles = useStyles();
  const shown = (section: JsonObject) => (metadata ? section : withoutMetadata(section));
  return (
    <>
      <TwinSection title="Tags" empty="No tags" content={shown(twin.tags)} />
      <div className={styles.columns}>
        <TwinSection title="Desired properties" empty="Nothing is desired" content={shown(twin.properties.desired)} />
        <TwinSection title="Reported properties" empty="Nothing was reported" content={shown(twin.properties.reported)} />
      </div>
    </>
  );
}

function TwinSection({ title, empty, content }: { title: string; empty: string; content: JsonObject }) {
  const text = JSON.stringify(content, null, 2);
  const any = Object.keys(content).length > 0;
  return (
    <Section title={title} actions={any && <CopyButton label={`Copy the ${title.toLowerCase()}`} text={text} />}>
      {any ? <JsonText label={`${title} as JSON`} text={text} /> : <EmptyState title={empty} />}
    </Section>
  );
}
