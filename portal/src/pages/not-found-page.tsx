import { Link } from 'react-router-dom';
import { Page } from '@/parts/page';
import { EmptyState } from '@/parts/states';

export default function NotFoundPage() {
  return (
    <Page title="Not found">
      <EmptyState title="There is no page at this address">
        Go to the <Link to="/">overview</Link>.
      </EmptyState>
    </Page>
  );
}
