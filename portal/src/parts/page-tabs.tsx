/** Pages that belong together, as a row of links under the title. */
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Link, useLocation } from 'react-router-dom';

const useStyles = makeStyles({
  row: { display: 'flex', gap: '4px', overflowX: 'auto', borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  tab: {
    padding: '6px 10px 8px',
    whiteSpace: 'nowrap',
    color: tokens.colorNeutralForeground2,
    textDecoration: 'none',
    borderBottom: '2px solid transparent',
    borderTopLeftRadius: tokens.borderRadiusMedium,
    borderTopRightRadius: tokens.borderRadiusMedium,
    ':hover': { color: tokens.colorNeutralForeground1, textDecoration: 'none', background: tokens.colorNeutralBackground3Hover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  },
  active: {
    color: tokens.colorNeutralForeground1,
    fontWeight: tokens.fontWeightSemibold,
    borderBottomColor: tokens.colorBrandForeground1,
  },
});

export function PageTabs({ label, tabs }: { label: string; tabs: readonly (readonly [path: string, name: string])[] }) {
  const styles = useStyles();
  const { pathname } = useLocation();
  return (
    <nav className={styles.row} aria-label={label}>
      {tabs.map(([path, name]) => (
        <Link
          key={path}
          to={path}
          aria-current={path === pathname ? 'page' : undefined}
          className={mergeClasses(styles.tab, path === pathname && styles.active)}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
