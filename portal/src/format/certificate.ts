/** How a certificate stands, in the words of the page. */
import type { CaCertificate } from '@/api/types';

export type CertificateState = 'not proven' | 'not yet valid' | 'expired' | 'expires soon' | 'verified';

const kSoonMs = 30 * 86_400_000;

/** What matters most comes first: a certificate that is out of its time is of no use, proven or not. */
export function certificateState(
  { verified, notBefore, notAfter }: Pick<CaCertificate, 'verified' | 'notBefore' | 'notAfter'>,
  nowMs: number,
): CertificateState {
  if (Date.parse(notAfter) <= nowMs) return 'expired';
  if (Date.parse(notBefore) > nowMs) return 'not yet valid';
  if (!verified) return 'not proven';
  return Date.parse(notAfter) - nowMs <= kSoonMs ? 'expires soon' : 'verified';
}
