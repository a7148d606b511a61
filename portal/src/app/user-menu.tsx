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
  Menu,
  MenuDivider,
  MenuGroupHeader,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from '@fluentui/react-components';
import { Key20Regular, Person20Regular, SignOut20Regular } from '@fluentui/react-icons';
import { useState, type FormEvent } from 'react';
import { api } from '@/api/client';
import { kNarrow } from './navigation';
import { useNotifications } from './notifications';
import { useSession } from './session';

const kSecretLengthMin = 12;

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: '12px' },
  button: { [kNarrow]: { minWidth: '32px' } },
  user: { [kNarrow]: { display: 'none' } },
});

export function UserMenu() {
  const styles = useStyles();
  const { state, signOut } = useSession();
  const { failed } = useNotifications();
  const [changing, setChanging] = useState(false);
  if (state.kind !== 'in') return null;
  const { user, role } = state.session;
  return (
    <>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button className={styles.button} appearance="subtle" icon={<Person20Regular />} aria-label={`Account of ${user}`}>
            <span className={styles.user}>{user}</span>
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuGroupHeader>
              Signed in as {user} ({role})
            </MenuGroupHeader>
            <MenuItem icon={<Key20Regular />} onClick={() => setChanging(true)}>
              Change my secret
            </MenuItem>
            <MenuDivider />
            <MenuItem
              icon={<SignOut20Regular />}
              onClick={() => void signOut().catch((error: unknown) => failed('Could not sign out', error))}
            >
              Sign out
            </MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      <SecretDialog open={changing} onClose={() => setChanging(false)} />
    </>
  );
}

function SecretDialog({ open, onClose }: { open: boolean; onClose(): void }) {
  const styles = useStyles();
  const { done } = useNotifications();
  const [secret, setSecret] = useState('');
  const [newSecret, setNewSecret] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  const close = () => {
    setSecret('');
    setNewSecret('');
    setProblem(undefined);
    onClose();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (newSecret.length < kSecretLengthMin) return setProblem(`Take at least ${kSecretLengthMin} characters.`);
    setBusy(true);
    try {
      await api.post('/me/secret', { body: { secret, new_secret: newSecret } });
      done('Secret changed. Your other sessions have ended.');
      close();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog open={open} onOpenChange={(_, data) => !data.open && close()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>Change my secret</DialogTitle>
            <DialogContent className={styles.form}>
              <Field label="Present secret" required>
                <Input
                  type="password"
                  autoComplete="current-password"
                  value={secret}
                  onChange={(_, data) => setSecret(data.value)}
                />
              </Field>
              <Field
                label="New secret"
                required
                validationMessage={problem}
                hint={problem ? undefined : `At least ${kSecretLengthMin} characters.`}
              >
                <Input
                  type="password"
                  autoComplete="new-password"
                  value={newSecret}
                  onChange={(_, data) => setNewSecret(data.value)}
                />
              </Field>
            </DialogContent>
            <DialogActions>
              <Button appearance="secondary" onClick={close}>
                Cancel
              </Button>
              <Button appearance="primary" type="submit" disabled={busy || secret === ''}>
                Change secret
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
