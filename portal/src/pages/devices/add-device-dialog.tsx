import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  Input,
  makeStyles,
  MessageBar,
  MessageBarBody,
} from '@fluentui/react-components';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router-dom';
import { useCreateDevice } from '@/api/queries';
import type { CreatedDevice } from '@/api/types';
import { devicePath } from '@/parts/alert-table';
import { Copyable } from '@/parts/copy-button';

const useStyles = makeStyles({ form: { display: 'flex', flexDirection: 'column', gap: '12px', paddingTop: '4px' } });

/** Asks for a name, then shows the connection string once (to an Admin: nobody else may read keys). */
export function AddDeviceDialog({ open, onClose }: { open: boolean; onClose(): void }) {
  const [made, setMade] = useState<CreatedDevice>();
  const close = () => {
    setMade(undefined);
    onClose();
  };
  return (
    <Dialog open={open} onOpenChange={(_, data) => !data.open && close()}>
      <DialogSurface>{made ? <Result made={made} onClose={close} /> : <Form onMade={setMade} onClose={close} />}</DialogSurface>
    </Dialog>
  );
}

function Form({ onMade, onClose }: { onMade(made: CreatedDevice): void; onClose(): void }) {
  const styles = useStyles();
  const create = useCreateDevice();
  const [deviceId, setDeviceId] = useState('');
  const [group, setGroup] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ deviceId: deviceId.trim(), ...(group.trim() ? { group: group.trim() } : {}) }, { onSuccess: onMade });
  };
  return (
    <form onSubmit={submit}>
      <DialogBody>
        <DialogTitle>Add a device</DialogTitle>
        <DialogContent className={styles.form}>
          <Field
            label="Device id"
            required
            validationMessage={create.error?.message}
            hint="Letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '. Upper and lower case differ."
          >
            <Input autoFocus value={deviceId} maxLength={128} onChange={(_, data) => setDeviceId(data.value)} />
          </Field>
          <Field label="Group" hint="Devices of one group can share rules. May stay empty.">
            <Input value={group} maxLength={128} onChange={(_, data) => setGroup(data.value)} />
          </Field>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button appearance="primary" type="submit" disabled={create.isPending || deviceId.trim() === ''}>
            Add device
          </Button>
        </DialogActions>
      </DialogBody>
    </form>
  );
}

function Result({ made, onClose }: { made: CreatedDevice; onClose(): void }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const { deviceId } = made.device;
  return (
    <DialogBody>
      <DialogTitle>{deviceId} was added</DialogTitle>
      <DialogContent className={styles.form}>
        {made.connectionString ? (
          <>
            <span>
              Put this connection string into the agent&rsquo;s configuration on the device. It holds the key: treat it as a
              secret.
            </span>
            <Copyable text={made.connectionString} label="Copy the connection string" />
          </>
        ) : (
          <MessageBar>
            <MessageBarBody>Ask an Admin for the device&rsquo;s connection string: your role does not read keys.</MessageBarBody>
          </MessageBar>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={() => navigate(devicePath(deviceId))}>Open the device</Button>
        <Button appearance="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </DialogBody>
  );
}
