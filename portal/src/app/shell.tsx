/** The frame around every page: skip link, top bar, navigation, main region. */
import { Badge, CounterBadge, makeStyles, mergeClasses, tokens, Tooltip } from '@fluentui/react-components';
import {
  AlertUrgent20Filled,
  AlertUrgent20Regular,
  Board20Filled,
  Board20Regular,
  DeveloperBoard20Filled,
  DeveloperBoard20Regular,
  DocumentSearch20Filled,
  DocumentSearch20Regular,
  Gauge20Filled,
  Gauge20Regular,
  Lightbulb20Filled,
  Lightbulb20Regular,
  Server20Filled,
  Server20Regular,
  ShieldTask20Filled,
  ShieldTask20Regular,
} from '@fluentui/react-icons';
import { useEffect, useRef, type ComponentType, type ReactNode } from 'react';
import { NavLink, useLocation } from 'react-router-dom';
import { useOverview } from '@/api/queries';
import { totalOf } from '@/format/severity';
import { PicketMark } from '@/parts/picket-mark';
import { Spoken } from '@/parts/spoken';
import { useLiveState } from './live';
import { ThemeMenu } from './theme-menu';
import { UserMenu } from './user-menu';

interface Destination {
  path: string;
  label: string;
  icon: ComponentType;
  activeIcon: ComponentType;
}

const kDestinations: readonly Destination[] = [
  { path: '/', label: 'Overview', icon: Board20Regular, activeIcon: Board20Filled },
  { path: '/devices', label: 'Devices', icon: DeveloperBoard20Regular, activeIcon: DeveloperBoard20Filled },
  { path: '/hub', label: 'Hub', icon: Server20Regular, activeIcon: Server20Filled },
  { path: '/alerts', label: 'Alerts', icon: AlertUrgent20Regular, activeIcon: AlertUrgent20Filled },
  { path: '/posture', label: 'Posture', icon: Gauge20Regular, activeIcon: Gauge20Filled },
  { path: '/recommendations', label: 'Recommendations', icon: Lightbulb20Regular, activeIcon: Lightbulb20Filled },
  { path: '/rules', label: 'Rules', icon: ShieldTask20Regular, activeIcon: ShieldTask20Filled },
  { path: '/logs', label: 'Logs', icon: DocumentSearch20Regular, activeIcon: DocumentSearch20Filled },
];

const useStyles = makeStyles({
  frame: {
    display: 'grid',
    height: '100%',
    gridTemplateRows: '48px minmax(0, 1fr)',
    gridTemplateColumns: '216px minmax(0, 1fr)',
    background: tokens.colorNeutralBackground3,
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
  nav: {
    padding: '12px 8px',
    display: 'flex',
    flexDirection: 'column',
    gap: '2px',
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    background: tokens.colorNeutralBackground2,
  },
  link: {
    position: 'relative',
    display: 'flex',
    alignItems: 'center',
    gap: '10px',
    height: '36px',
    padding: '0 10px',
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground2,
    textDecoration: 'none',
    '& svg': { flexShrink: 0 },
    ':hover': { background: tokens.colorNeutralBackground3Hover, color: tokens.colorNeutralForeground1 },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  },
  active: {
    background: tokens.colorNeutralBackground1,
    color: tokens.colorNeutralForeground1,
    fontWeight: tokens.fontWeightSemibold,
    boxShadow: tokens.shadow2,
    '& svg': { color: tokens.colorBrandForeground1 },
  },
  count: { marginLeft: 'auto' },
  main: {
    minWidth: 0,
    overflowY: 'auto',
    outline: 'none',
    ':focus-visible': { boxShadow: `inset 0 0 0 2px ${tokens.colorStrokeFocus2}` },
  },
});

function LiveBadge() {
  const state = useLiveState();
  const live = state === 'live';
  return (
    <Tooltip
      content={
        live ? 'New alerts and device changes show up here by themselves.' : 'Waiting for the server. What you see may be old.'
      }
      relationship="description"
    >
      <Badge role="status" tabIndex={0} appearance="tint" color={live ? 'success' : 'warning'}>
        {live ? 'Live' : state === 'connecting' ? 'Connecting…' : 'Reconnecting…'}
      </Badge>
    </Tooltip>
  );
}

function NavItem({ path, label, icon: Icon, activeIcon: ActiveIcon, alerts }: Destination & { alerts: number }) {
  const styles = useStyles();
  const { pathname } = useLocation();
  const active = path === '/' ? pathname === '/' : pathname === path || pathname.startsWith(`${path}/`);
  const showCount = path === '/alerts' && alerts > 0;
  return (
    <NavLink to={path} end={path === '/'} className={mergeClasses(styles.link, active && styles.active)}>
      {active ? <ActiveIcon /> : <Icon />}
      {label}
      {showCount && <CounterBadge className={styles.count} count={alerts} overflowCount={999} color="danger" size="small" />}
      {showCount && <Spoken> open</Spoken>}
    </NavLink>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const styles = useStyles();
  const main = useRef<HTMLElement>(null);
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
        <NavLink to="/" className={styles.brand}>
          <PicketMark /> Picket
        </NavLink>
        <span className={styles.spring} />
        <LiveBadge />
        <ThemeMenu />
        <UserMenu />
      </header>
      <nav className={styles.nav} aria-label="Main">
        {kDestinations.map((destination) => (
          <NavItem key={destination.path} {...destination} alerts={openAlerts} />
        ))}
      </nav>
      {/* It scrolls, so the keyboard must reach it, also on a page with nothing else to focus. */}
      <main id="main" ref={main} tabIndex={0} className={styles.main}>
        {children}
      </main>
    </div>
  );
}
