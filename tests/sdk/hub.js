// Starts hub_server (a hub alone) on a loopback port and reads the records it makes durable.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = process.env.PICKET_HUB_SERVER ?? join(root, 'build', 'release', 'bin', 'hub_server');

export const keys = {
  dev1: Buffer.from('key of device 1, thirty-two bytes').toString('base64'),
  'dev1/DefenderIotMicroAgent': Buffer.from('key of the module of device 1 ...').toString('base64'),
  dev2: Buffer.from('key of device 2, thirty-two bytes').toString('base64'),
};

export async function startHub() {
  const directory = mkdtempSync(join(tmpdir(), 'picket-sdk-'));
  const identities = Object.entries(keys).map(([name, key]) => `${name}=${key}`);
  const child = spawn(program, [directory, ...identities], { stdio: ['pipe', 'pipe', 'inherit'] });
  const records = [];
  let wake = () => {};
  let started;
  const first = new Promise((resolve, reject) => {
    started = resolve;
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`hub_server ended with ${code}`)));
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value = JSON.parse(line);
    if (value.port) return started(value);
    records.push(value);
    wake();
  });
  const { port, ca } = await first;

  /** The first durable record that fits; fails after five seconds. */
  async function record(fits) {
    const until = Date.now() + 5000;
    for (;;) {
      const found = records.find(fits);
      if (found) return found;
      if (Date.now() > until) throw new Error(`no such record among ${records.length}`);
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
  const event = (kind, fits = () => true) =>
    record((r) => r.kind === 'hub_event' && JSON.parse(r.body).kind === kind && fits(JSON.parse(r.body))).then((r) =>
      JSON.parse(r.body),
    );
  async function stop() {
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.stdin.end();
    await ended;
    rmSync(directory, { recursive: true });
  }
  return { port, ca, records, record, event, stop };
}

/** HostName keeps its realistic name; the gateway is where the socket goes. */
export function connectionString(hub, name, key = keys[name]) {
  const [device, module] = name.split('/');
  return (
    `HostName=localhost;DeviceId=${device};` +
    (module ? `ModuleId=${module};` : '') +
    `SharedAccessKey=${key};GatewayHostName=localhost:${hub.port}`
  );
}

export function sasToken(device, key, expirySeconds) {
  const resource = encodeURIComponent(`localhost/devices/${device}`);
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${resource}\n${expirySeconds}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expirySeconds}`;
}
