import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.messaging.IotHubServiceClientProtocol;
import com.microsoft.azure.sdk.iot.service.messaging.Message;
import com.microsoft.azure.sdk.iot.service.messaging.MessagingClient;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What must outlive a connection, and the server: tokens are renewed, the hub is killed, and subscriptions stay. */
@Timeout(200)
class LastingTest {
  private static final List<IotHubClientProtocol> LASTING = List.of(IotHubClientProtocol.MQTT, IotHubClientProtocol.MQTT_WS,
      IotHubClientProtocol.AMQPS, IotHubClientProtocol.AMQPS_WS);

  /** A device that listens to everything. */
  private static final class Listener {
    final Hub.Device device = Hub.newDevice();
    final IotHubClientProtocol protocol;
    final DeviceClient client;
    final LinkedBlockingQueue<com.microsoft.azure.sdk.iot.device.twin.Twin> patches = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<String> commands = new LinkedBlockingQueue<>();

    Listener(IotHubClientProtocol protocol, long tokenSeconds) throws Exception {
      this.protocol = protocol;
      client = new DeviceClient(device.string(), protocol,
          ClientOptions.builder().sslContext(SSLContext.getDefault()).sasTokenExpiryTime(tokenSeconds).build());
      client.setMessageCallback((message, context) -> {
        commands.add(new String(message.getBytes(), StandardCharsets.UTF_8));
        return IotHubMessageResult.COMPLETE;
      }, null);
      client.open(true);
      client.subscribeToDesiredProperties((patch, context) -> patches.add(patch), null);
      client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, name), null);
    }

    void everythingWorks(String round) throws Exception {
      String mark = round + "-" + device.id();
      sends(mark);
      Hub.rawEvent(mark);
      TwinClient twins = new TwinClient(Hub.service());
      Twin twin = new Twin(device.id());
      twin.getDesiredProperties().put("round", round);
      twins.patch(twin);
      com.microsoft.azure.sdk.iot.device.twin.Twin patch;
      do {
        patch = patches.poll(40, TimeUnit.SECONDS);
        assertNotNull(patch, protocol + " " + round + ": the desired change");
      } while (!round.equals(patch.getDesiredProperties().get("round")));
      MessagingClient service = new MessagingClient(Hub.service(), IotHubServiceClientProtocol.AMQPS);
      service.open();
      service.send(device.id(), new Message("command " + round));
      service.close();
      assertEquals("command " + round, commands.poll(40, TimeUnit.SECONDS), protocol + " " + round);
      var answer = new DirectMethodsClient(Hub.service()).invoke(device.id(), round,
          DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build());
      assertEquals(200, answer.getStatus());
    }

    /** The SDK queues while it is away from the hub; what it gives up is sent again. */
    private void sends(String mark) throws Exception {
      for (int tries = 1; ; tries++) {
        try {
          client.sendEvent(Hub.securityMessage(mark));
          return;
        } catch (IotHubClientException | IllegalStateException failure) {
          if (tries == 20) throw failure;
          Thread.sleep(1000);
        }
      }
    }
  }

  private static List<Listener> listeners(long tokenSeconds) throws Exception {
    List<Listener> all = new ArrayList<>();
    for (IotHubClientProtocol protocol : LASTING) all.add(new Listener(protocol, tokenSeconds));
    return all;
  }

  @Test
  void afterRenewalEverySubscriptionStillWorks() throws Exception {
    List<Listener> all = listeners(14);  // the SDK renews at 85 %; over MQTT it waits for the hub to end the connection
    for (Listener each : all) each.everythingWorks("first");
    Thread.sleep(15_000);
    for (Listener each : all) {
      each.everythingWorks("renewed");
      each.client.close();
    }
  }

  @Test
  void afterKillEverySubscriptionStillWorks() throws Exception {
    List<Listener> all = listeners(3600);
    for (Listener each : all) each.everythingWorks("first");
    Hub.ask("kill", Map.of());
    for (Listener each : all) {
      each.everythingWorks("killed");
      each.client.close();
    }
  }
}
