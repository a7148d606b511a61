import { earliestEventPosition, EventHubConsumerClient, latestEventPosition } from '@azure/event-hubs';
import device from 'azure-iot-device';
import { deviceClient, field, host, newDevice, serviceString, transports, until, sleep } from './hub.mjs';
const consumer = async () => {
  const string = await serviceString();
  return new EventHubConsumerClient('$Default',
    `Endpoint=sb://${host}/;SharedAccessKeyName=iothubowner;SharedAccessKey=${field(string, 'SharedAccessKey')};EntityPath=picket`);
};
const size = Number(process.env.PROBE_BYTES ?? 200);
process.on("unhandledRejection", (e) => console.log("unhandled", e.message));
let stop = false;
const senders = [];
for (let i = 0; i < 4; ++i) {
  const { device: string } = await newDevice();
  const sender = deviceClient(string, transports.mqtt);
  await sender.open();
  senders.push((async () => {
    while (!stop) await Promise.all(Array.from({ length: 50 }, () => sender.sendEvent(new device.Message(Buffer.alloc(size, 'x'))))).catch((e) => console.log('send', e.message));
    await sender.close();
  })());
}
await sleep(1000);
const rounds = Number(process.env.PROBE_ROUNDS ?? 20);
let bad = 0;
for (let i = 0; i < rounds; ++i) {
  const client = await consumer();
  let got = 0;
  const subscription = client.subscribe({ processEvents: async (events) => { got += events.length; },
    processError: async (e) => { console.log('error', e.message); } }, { startPosition: i % 2 ? latestEventPosition : earliestEventPosition, maxWaitTimeInSeconds: 1, maxBatchSize: 100 });
  await until(() => got > (i % 3) * 300, 'events', 30000, 20);
  const begin = Date.now();
  console.log(new Date().toISOString(), 'closing', i);
  await subscription.close();
  const mid = Date.now();
  await client.close();
  const end = Date.now();
  console.log(new Date().toISOString(), `round ${i}: got ${got}, subscription ${mid - begin} ms, client ${end - mid} ms`);
  if (end - begin > 10000) { bad += 1; if (process.env.PROBE_STOP) break; }
}
stop = true;
await Promise.all(senders);
console.log('bad', bad);
process.exit(0);
