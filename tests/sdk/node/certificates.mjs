// Certificates as an operator makes them: with openssl.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { folder } from './hub.mjs';

const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'] });

/** {cert, key, thumbprint, sha256, files}; `issuer` another of these, absent: signed by itself. */
export function certificate(commonName, { issuer, authority = false, days = 30 } = {}) {
  const at = mkdtempSync(join(folder, 'cert-'));
  const [key, csr, cert, extensions] = ['key.pem', 'request.pem', 'cert.pem', 'extensions'].map((file) => join(at, file));
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
  openssl('req', '-new', '-key', key, '-subj', `/CN=${commonName}`, '-out', csr);
  writeFileSync(extensions, authority ? 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign,digitalSignature\n'
                                      : 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n');
  const signer = issuer ? ['-CA', issuer.files.cert, '-CAkey', issuer.files.key, '-CAcreateserial'] : ['-signkey', key];
  openssl('x509', '-req', '-in', csr, ...signer, '-days', String(days), '-extfile', extensions, '-out', cert);
  const text = readFileSync(cert, 'utf8');
  const parsed = new X509Certificate(text);
  return { cert: text, key: readFileSync(key, 'utf8'), files: { cert, key },
           thumbprint: parsed.fingerprint.replaceAll(':', ''), sha256: parsed.fingerprint256.replaceAll(':', '') };
}
