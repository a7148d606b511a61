import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Spinner,
} from '@fluentui/react-components';
import { MoreHorizontal20Regular, PlugConnected20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useConnectionString, useDeleteDevice, useUpdateDevice } from '@/api/queries';
import type { Device } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { Copyable } from '@/parts/copy-button';
import { MessageDialog } from './message-dialog';
import { MethodDialog } from './method-dialog';

const kAgentModule = 'DefenderIotMicroAgent';

export function DeviceActions({ device }: { device: Device }) {
  const mayChange = useMay('Contributor');
  const mayReadKeys = useMay('Admin');
  const { done, failed } = useNotifications();
  const update = useUpdateDevice(device.deviceId);
  const [dialog, setDialog] = useState<'key' | 'remove' | 'method' | 'message'>();
  if (!mayChange) return null;

  const next = device.status === 'enabled' ? 'disabled' : 'enabled';
  const toggle = () =>
    update.mutate(
      { status: next },
      {
        onSuccess: () => done(next === 'enabled' ? 'Device enabled' : 'Device disabled. Its connection has ended.'),
        onError: (error) => failed('The device was not changed', error),
      },
    );
  return (
    <>
      {mayReadKeys && (
        <Button icon={<PlugConnected20Regular />} onClick={() => setDialog('key')}>
          Connection string
        </Button>
      )}
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button icon={<MoreHorizontal20Regular />} aria-label="More actions" />
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem onClick={() => setDialog('method')}>Call method…</MenuItem>
            <MenuItem onClick={() => setDialog('message')}>Send message…</MenuItem>
            <MenuItem onClick={toggle}>{next === 'enabled' ? 'Enable' : 'Disable'}</MenuItem>
            <MenuItem onClick={() => setDialog('remove')}>Remove…</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      {dialog === 'key' && <KeyDialog device={device} onClose={() => setDialog(undefined)} />}
      {dialog === 'method' && <MethodDialog device={device} onClose={() => setDialog(undefined)} />}
      {dialog === 'message' && <MessageDialog deviceId={device.deviceId} onClose={() => setDialog(undefined)} />}
      {dialog === 'remove' && <RemoveDialog deviceId={device.deviceId} onClose={() => setDialog(undefined)} />}
    </>
  );
}

/** The key is asked for by a click of its own, because reading it is recorded. */
function KeyDialog({ device, onClose }: { device: Device; onClose(): void }) {
  const read = useConnectionString(device.deviceId);
  const module = device.modules.find(({ moduleId }) => moduleId === kAgentModule)?.moduleId;
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Connection string of {device.deviceId}</DialogTitle>
          <DialogContent>
            {read.data ? (
              <Copyable text={read.data.connectionString} label="Copy the connection string" />
            ) : read.error ? (
              <span role="alert">{read.error.message}</span>
            ) : (
              `It holds the key of ${module ? `the module ${module}` : 'the device'}. Showing it is recorded in the audit record.`
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Close</Button>
            {!read.data && (
              <Button
                appearance="primary"
                disabled={read.isPending}
                icon={read.isPending ? <Spinner size="tiny" /> : undefined}
                onClick={() => read.mutate(module)}
              >
                Show it
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function RemoveDialog({ deviceId, onClose }: { deviceId: string; onClose(): void }) {
  const navigate = useNavigate();
  const remove = useDeleteDevice(deviceId);
  const { done } = useNotifications();
  const confirm = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        done(`${deviceId} was removed`);
        navigate('/devices', { replace: true });
      },
    });
  return (
    <Dialog modalType="alert" open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Remove {deviceId}?</DialogTitle>
          <DialogContent>
            {remove.error ? (
              <span role="alert">{remove.error.message}</span>
            ) : (
              'The device can no longer connect and its keys are gone. Its events and alerts stay.'
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button appearance="primary" disabled={remove.isPending} onClick={confirm}>
              Remove
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
