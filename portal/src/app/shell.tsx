/** The frame around every page: skip link, top bar, navigation, main region. */
import { Badge, makeStyles, tokens, Tooltip } from '@fluentui/react-components';
import { useEffect, useRef, type ReactNode } from 'react';
import { NavLink, useLocation } from 'react-router-dom';
import { useOverview } from '@/api/queries';
import { totalOf } from '@/format/severity';
import { PicketMark } from '@/parts/picket-mark';
import { useLiveState } from './live';
import { kNarrow, Navigation, NavigationButton, useNavigationDrawer } from './navigation';
import { ThemeMenu } from './theme-menu';
import { UserMenu } from './user-menu';

const useStyles = makeStyles({
  frame: {
    display: 'grid',
    height: '100%',
    gridTemplateRows: '48px minmax(0, 1fr)',
    gridTemplateColumns: '216px minmax(0, 1fr)',
    background: tokens.colorNeutralBackground3,
    [kNarrow]: { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  skip: {
    position: 'absolute',
    left: '-999px',
    top: '4px',
    zIndex: 10,
    padding: '8px 12px',
    background: tokens.colorNeutralBackground1,
    color: tokens.colorBrandForeground1,
    ':focus': { left: '8px' },
  },
  top: {
    gridColumn: '1 / -1',
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    padding: '0 12px 0 18px',
    background: tokens.colorNeutralBackground1,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    [kNarrow]: { gap: '4px', padding: '0 6px' },
  },
  brand: {
    display: 'flex',
    alignItems: 'center',
    gap: '10px',
    fontSize: tokens.fontSizeBase500,
    fontWeight: tokens.fontWeightSemibold,
    color: 'inherit',
    textDecoration: 'none',
  },
  spring: { flexGrow: 1 },
  live: { flexShrink: 0 },
  main: {
    minWidth: 0,
    overflowY: 'auto',
    outline: 'none',
    ':focus-visible': { boxShadow: `inset 0 0 0 2px ${tokens.colorStrokeFocus2}` },
  },
});

function LiveBadge() {
  const styles = useStyles();
  const state = useLiveState();
  const live = state === 'live';
  return (
    <Tooltip
      content={
        live ? 'New alerts and device changes show up here by themselves.' : 'Waiting for the server. What you see may be old.'
      }
      relationship="description"
    >
      <Badge className={styles.live} role="status" tabIndex={0} appearance="tint" color={live ? 'success' : 'warning'}>
        {live ? 'Live' : state === 'connecting' ? 'Connecting…' : 'Reconnecting…'}
      </Badge>
    </Tooltip>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const styles = useStyles();
  const main = useRef<HTMLElement>(null);
  const drawer = useNavigationDrawer();
  const { pathname } = useLocation();
  const overview = useOverview();
  const openAlerts = overview.data ? totalOf(overview.data.alerts.open_by_severity) : 0;

  // A new page starts at its top.
  useEffect(() => {
    main.current?.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className={styles.frame}>
      <a
        className={styles.skip}
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <header className={styles.top}>
        <NavigationButton drawer={drawer} />
        <NavLink to="/" className={styles.brand}>
          <PicketMark /> Picket
        </NavLink>
        <span className={styles.spring} />
        <LiveBadge />
        <ThemeMenu />
        <UserMenu />
      </header>
      <Navigation drawer={drawer} openAlerts={openAlerts} />
      {/* It scrolls, so the keyboard must reach it, also on a page with nothing else to focus. */}
      <main id="main" ref={main} tabIndex={0} className={styles.main}>
        {children}
      </main>
    </div>
  );
}
