/** A text of a workbook: Markdown with values in it, drawn without HTML. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { Fragment, useMemo } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { substitute, type Choices } from '@/format/workbook/choices';
import { escapeMarkdown, parseMarkdown, type Block, type Inline } from '@/format/workbook/markdown';

const useStyles = makeStyles({
  body: { overflowWrap: 'anywhere', lineHeight: tokens.lineHeightBase300, '& > *': { margin: '0 0 8px' } },
  quote: { borderLeft: `3px solid ${tokens.colorBrandStroke1}`, paddingLeft: '10px', color: tokens.colorNeutralForeground2 },
  code: {
    background: tokens.colorNeutralBackground3,
    padding: '8px 12px',
    overflowX: 'auto',
    borderRadius: tokens.borderRadiusMedium,
  },
  table: {
    borderCollapse: 'collapse',
    '& th, & td': { textAlign: 'left', padding: '4px 12px 4px 0', borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  },
  rule: { border: 'none', borderTop: `1px solid ${tokens.colorNeutralStroke2}`, width: '100%' },
  picture: { color: tokens.colorNeutralForeground3, fontStyle: 'italic' },
  heading: { fontWeight: tokens.fontWeightSemibold },
});

export function MarkdownView({ source, choices }: { source: string; choices: Choices }) {
  const styles = useStyles();
  const blocks = useMemo(() => parseMarkdown(substitute(source, choices, escapeMarkdown)), [source, choices]);
  if (blocks.length === 0) return null;
  return (
    <div className={styles.body}>
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} />
      ))}
    </div>
  );
}

function Inlines({ content }: { content: readonly Inline[] }) {
  const styles = useStyles();
  return content.map((part, index) => {
    switch (part.kind) {
      case 'text':
        return <Fragment key={index}>{part.text}</Fragment>;
      case 'code':
        return <code key={index}>{part.text}</code>;
      case 'strong':
        return <strong key={index}>{part.text}</strong>;
      case 'emphasis':
        return <em key={index}>{part.text}</em>;
      case 'image':
        return part.text ? (
          <span key={index} className={styles.picture} title="Pictures of other hosts are not loaded">
            [{part.text}]
          </span>
        ) : null;
      case 'link':
        return part.href.startsWith('/') ? (
          <RouterLink key={index} to={part.href}>
            {part.text}
          </RouterLink>
        ) : (
          <a key={index} href={part.href} target="_blank" rel="noreferrer noopener">
            {part.text}
          </a>
        );
    }
  });
}

const kSizes = [tokens.fontSizeBase600, tokens.fontSizeBase500, tokens.fontSizeBase400, tokens.fontSizeBase300];

function BlockView({ block }: { block: Block }) {
  const styles = useStyles();
  switch (block.kind) {
    case 'heading': {
      // The page's own title is the first level.
      const Heading = `h${Math.min(block.level + 1, 6)}` as 'h2';
      return (
        <Heading className={styles.heading} style={{ fontSize: kSizes[Math.min(block.level, 4) - 1] }}>
          <Inlines content={block.content} />
        </Heading>
      );
    }
    case 'paragraph':
      return (
        <p>
          <Inlines content={block.content} />
        </p>
      );
    case 'quote':
      return (
        <blockquote className={styles.quote}>
          <Inlines content={block.content} />
        </blockquote>
      );
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul';
      return (
        <List>
          {block.items.map((item, index) => (
            <li key={index}>
              <Inlines content={item} />
            </li>
          ))}
        </List>
      );
    }
    case 'code':
      return (
        <pre className={styles.code} tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'rule':
      return <hr className={styles.rule} />;
    case 'table':
      return (
        <table className={styles.table}>
          <thead>
            <tr>
              {block.head.map((cell, index) => (
                <th key={index}>
                  <Inlines content={cell} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={at}>
                    <Inlines content={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}
