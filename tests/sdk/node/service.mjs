// The service side of the cases: clients of azure-iothub with the policy iothubowner.
import iothub from 'azure-iothub';

import { serviceString, within } from './hub.mjs';

export const registry = async () => iothub.Registry.fromConnectionString(await serviceString());
export const jobClient = async () => iothub.JobClient.fromConnectionString(await serviceString());

/** An opened service client; its transport carries C2D and feedback, methods go over HTTPS. */
export async function serviceClient(transport = iothub.Amqp ?? undefined) {
  const client = transport
    ? iothub.Client.fromConnectionString(await serviceString(), transport)
    : iothub.Client.fromConnectionString(await serviceString());
  await within(client.open(), 'the service client opens');
  return client;
}

/** What the registry's promises resolve with. */
export const body = (answer) => answer.responseBody ?? answer.jobStatus ?? answer.result ?? answer;

export const updateDesired = async (deviceId, desired, etag = '*') =>
  body(await (await registry()).updateTwin(deviceId, { properties: { desired } }, etag));
