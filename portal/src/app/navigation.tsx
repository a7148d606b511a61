/** The list of pages: beside the page where the window is wide, behind a button where it is narrow. */
import { Button, CounterBadge, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Navigation20Regular } from '@fluentui/react-icons';
import { useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'react-router-dom';
import { Spoken } from '@/parts/spoken';
import { kDestinations, leadsTo, type Destination } from './destinations';

/** From this width down the list is behind a button. */
export const kNarrow = '@media (max-width: 860px)';
const kListId = 'navigation';

const useStyles = makeStyles({
  toggle: { display: 'none', [kNarrow]: { display: 'inline-flex' } },
  nav: {
    padding: '4px 8px 12px',
    display: 'flex',
    flexDirection: 'column',
    gap: '2px',
    overflowY: 'auto',
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    background: tokens.colorNeutralBackground2,
    [kNarrow]: {
      display: 'none',
      position: 'fixed',
      top: '48px',
      bottom: 0,
      left: 0,
      width: 'min(260px, 85vw)',
      boxSizing: 'border-box',
      zIndex: 20,
      boxShadow: tokens.shadow16,
    },
  },
  open: { [kNarrow]: { display: 'flex' } },
  backdrop: {
    display: 'none',
    [kNarrow]: {
      display: 'block',
      position: 'fixed',
      inset: '48px 0 0 0',
      zIndex: 19,
      background: tokens.colorBackgroundOverlay,
    },
  },
  group: { display: 'flex', flexDirection: 'column', gap: '2px' },
  title: {
    padding: '10px 10px 4px',
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase100,
    color: tokens.colorNeutralForeground3,
  },
  link: {
    position: 'relative',
    display: 'flex',
    alignItems: 'center',
    gap: '10px',
    minHeight: '34px',
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
});

/** Whether the list is shown in a narrow window. Another page, Escape and a click beside it close it. */
export function useNavigationDrawer() {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const { pathname, search } = useLocation();
  useEffect(() => setOpen(false), [pathname, search]);
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [open]);
  return { open, setOpen, button };
}

type Drawer = ReturnType<typeof useNavigationDrawer>;

export function NavigationButton({ drawer: { open, setOpen, button } }: { drawer: Drawer }) {
  const styles = useStyles();
  return (
    <Button
      ref={button}
      className={styles.toggle}
      appearance="subtle"
      icon={<Navigation20Regular />}
      aria-label="Pages"
      aria-expanded={open}
      aria-controls={kListId}
      onClick={() => setOpen(!open)}
    />
  );
}

function Item({ destination, openAlerts }: { destination: Destination; openAlerts: number }) {
  const styles = useStyles();
  const { pathname } = useLocation();
  const { path, label, icon: Icon, activeIcon: ActiveIcon } = destination;
  const active = leadsTo(destination, pathname);
  const showCount = path === '/alerts' && openAlerts > 0;
  return (
    <Link to={path} aria-current={active ? 'page' : undefined} className={mergeClasses(styles.link, active && styles.active)}>
      {active ? <ActiveIcon /> : <Icon />}
      {label}
      {showCount && <CounterBadge className={styles.count} count={openAlerts} overflowCount={999} color="danger" size="small" />}
      {showCount && <Spoken> open</Spoken>}
    </Link>
  );
}

export function Navigation({ drawer: { open, setOpen }, openAlerts }: { drawer: Drawer; openAlerts: number }) {
  const styles = useStyles();
  return (
    <>
      {open && <div className={styles.backdrop} onClick={() => setOpen(false)} />}
      <nav id={kListId} className={mergeClasses(styles.nav, open && styles.open)} aria-label="Main">
        {kDestinations.map(({ title, items }, index) => (
          <div key={title} className={styles.group} role="group" aria-label={title}>
            {index > 0 && (
              <div className={styles.title} aria-hidden>
                {title}
              </div>
            )}
            {items.map((item) => (
              <Item key={item.path} destination={item} openAlerts={openAlerts} />
            ))}
          </div>
        ))}
      </nav>
    </>
  );
}
