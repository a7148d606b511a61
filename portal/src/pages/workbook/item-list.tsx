/** Items one below the other, or beside where they have a width. */
import { Card, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Tab, TabList, tokens } from '@fluentui/react-components';
import { Link as RouterLink } from 'react-router-dom';
import { isVisible, plain, substitute } from '@/format/workbook/choices';
import { safeHref } from '@/format/workbook/markdown';
import type { GroupItem, Item, LinksItem } from '@/format/workbook/model';
import { useWorkbookState } from './context';
import { MarkdownView } from './markdown-view';
import { ParameterBar } from './parameter-bar';
import { QueryCard } from './query-card';

const useStyles = makeStyles({
  frame: { containerType: 'inline-size' },
  list: { display: 'flex', flexWrap: 'wrap', gap: '12px', alignItems: 'stretch' },
  item: {
    minWidth: 0,
    boxSizing: 'border-box',
    flexGrow: 1,
    display: 'flex',
    flexDirection: 'column',
    gap: '8px',
    '@container (max-width: 760px)': { flexBasis: '100% !important', maxWidth: '100% !important' },
  },
  group: { padding: '12px' },
  note: { flexShrink: 0 },
  title: { margin: '0 0 8px', fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  tabs: { overflowX: 'auto' },
  links: { display: 'flex', gap: '12px', flexWrap: 'wrap' },
});

export function ItemList({ items }: { items: readonly Item[] }) {
  const styles = useStyles();
  const { choices } = useWorkbookState();
  return (
    <div className={styles.frame}>
      <div className={styles.list}>
        {items
          .filter((item) => isVisible(item.conditions, choices))
          .map((item) => (
            <div
              key={item.path}
              className={styles.item}
              style={{ flexBasis: `calc(${item.width}% - 12px)`, maxWidth: item.width < 100 ? `${item.width}%` : '100%' }}
            >
              <Notes path={item.path} />
              <ItemView item={item} />
            </div>
          ))}
      </div>
    </div>
  );
}

/** What of this item Picket does not show: said in its place. */
export function Notes({ path }: { path: string }) {
  const styles = useStyles();
  const { notes } = useWorkbookState();
  return notes
    .filter((note) => note.path === path)
    .map((note) => (
      <MessageBar key={note.construct + note.message} className={styles.note} intent="info" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>Not shown: {note.construct}</MessageBarTitle>
          {note.message}
        </MessageBarBody>
      </MessageBar>
    ));
}

function ItemView({ item }: { item: Item }) {
  const { spoken } = useWorkbookState();
  switch (item.kind) {
    case 'text':
      return <MarkdownView source={item.text} choices={spoken} />;
    case 'parameters':
      return <ParameterBar item={item} />;
    case 'query':
      return <QueryCard item={item} />;
    case 'links':
      return <Links item={item} />;
    case 'group':
      return <Group item={item} />;
    case 'other':
      return null;
  }
}

function Group({ item }: { item: GroupItem }) {
  const styles = useStyles();
  const { spoken } = useWorkbookState();
  if (!item.title) return <ItemList items={item.items} />;
  const title = substitute(item.title, spoken);
  return (
    <Card className={styles.group} role="group" aria-label={title}>
      <h2 className={styles.title}>{title}</h2>
      <ItemList items={item.items} />
    </Card>
  );
}

function Links({ item }: { item: LinksItem }) {
  const styles = useStyles();
  const { choices, choose } = useWorkbookState();
  const chosen = item.links.filter(({ target }) => target === 'parameter');
  const pick = (index: number) => {
    const link = chosen[index];
    if (link) choose(link.parameter, { values: [link.value], labels: [link.label] }, true);
  };
  if (item.tabs) {
    const current = chosen.findIndex(({ parameter, value }) => plain(choices[parameter]) === value);
    return (
      <TabList
        className={styles.tabs}
        selectedValue={current}
        onTabSelect={(_, data) => pick(Number(data.value))}
        aria-label={item.name || 'Tabs'}
      >
        {chosen.map((link, index) => (
          <Tab key={`${link.parameter} ${link.value}`} value={index}>
            {substitute(link.label, choices)}
          </Tab>
        ))}
      </TabList>
    );
  }
  return (
    <div className={styles.links}>
      {item.links.map((link) => {
        const label = substitute(link.label, choices);
        const href = link.target === 'Url' ? safeHref(substitute(link.url, choices, encodeURIComponent)) : undefined;
        if (link.target === 'parameter') {
          return (
            <button key={label + link.value} type="button" onClick={() => pick(chosen.indexOf(link))}>
              {label}
            </button>
          );
        }
        if (!href) return <span key={label}>{label}</span>;
        return href.startsWith('/') ? (
          <RouterLink key={label} to={href}>
            {label}
          </RouterLink>
        ) : (
          <a key={label} href={href} target="_blank" rel="noreferrer noopener">
            {label}
          </a>
        );
      })}
    </div>
  );
}
