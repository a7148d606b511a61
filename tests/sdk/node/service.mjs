// The service side of the cases: clients of azure-iothub with the policy iothubowner.
import iothub from 'azure-iothub';

import { field, host, serviceString, within } from './hub.mjs';

export const registry = async () => iothub.Registry.fromConnectionString(await serviceString());
export const jobClient = async () => iothub.JobClient.fromConnectionString(await serviceString());

/** A token of that policy, for what the SDK has no call for. */
export async function serviceToken() {
  const string = await serviceString();
  const end = Math.floor(Date.now() / 1000) + 600;
  return iothub.SharedAccessSignature.create(host, field(string, 'SharedAccessKeyName'), field(string, 'SharedAccessKey'), end).toString();
}

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
