import { Button, Card, Field, Input, makeStyles, MessageBar, MessageBarBody, Text, tokens } from '@fluentui/react-components';
import { useEffect, useState, type FormEvent } from 'react';
import { ApiError } from '@/api/client';
import { useSession } from '@/app/session';
import { ThemeMenu } from '@/app/theme-menu';
import { PicketMark } from '@/parts/picket-mark';

const useStyles = makeStyles({
  page: {
    height: '100%',
    display: 'grid',
    placeItems: 'center',
    background: tokens.colorNeutralBackground3,
    position: 'relative',
  },
  theme: { position: 'absolute', top: '8px', right: '12px' },
  card: { width: '360px', padding: '32px', boxShadow: tokens.shadow16 },
  brand: {
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    margin: 0,
    fontSize: tokens.fontSizeBase600,
    fontWeight: tokens.fontWeightSemibold,
  },
  form: { display: 'flex', flexDirection: 'column', gap: '16px', marginTop: '12px' },
  hint: { color: tokens.colorNeutralForeground3 },
});

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'User or secret is wrong.';
  if (error instanceof ApiError && error.status === 429) {
    return `Too many attempts. Try again in ${error.retryAfterSeconds ?? 60} seconds.`;
  }
  return error instanceof Error ? error.message : String(error);
}

export default function SignInPage({ expired }: { expired: boolean }) {
  const styles = useStyles();
  const { signIn } = useSession();
  const [user, setUser] = useState('');
  const [secret, setSecret] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    document.title = 'Sign in · Picket';
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(user.trim(), secret);
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  };

  return (
    <main className={styles.page}>
      <div className={styles.theme}>
        <ThemeMenu />
      </div>
      <Card className={styles.card}>
        <h1 className={styles.brand}>
          <PicketMark size={30} /> Picket
        </h1>
        {expired && (
          <MessageBar intent="info">
            <MessageBarBody>Your session has ended. Please sign in again.</MessageBarBody>
          </MessageBar>
        )}
        {problem && (
          <MessageBar intent="error" role="alert">
            <MessageBarBody>{problem}</MessageBarBody>
          </MessageBar>
        )}
        <form className={styles.form} onSubmit={(event) => void submit(event)}>
          <Field label="User" required>
            <Input name="user" autoComplete="username" autoFocus value={user} onChange={(_, data) => setUser(data.value)} />
          </Field>
          <Field label="Secret" required>
            <Input
              name="secret"
              type="password"
              autoComplete="current-password"
              value={secret}
              onChange={(_, data) => setSecret(data.value)}
            />
          </Field>
          <Button type="submit" appearance="primary" disabled={busy || user === '' || secret === ''}>
            Sign in
          </Button>
          <Text size={200} className={styles.hint}>
            The server printed the first secret of the user admin when it was started for the first time.
          </Text>
        </form>
      </Card>
    </main>
  );
}
