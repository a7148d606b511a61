import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubException;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Twins and direct methods, over every transport that has them. */
@Timeout(150)
class TwinTest {
  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = "HTTPS", mode = EnumSource.Mode.EXCLUDE)
  void twinIsReadReportedAndHeard(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    TwinClient service = new TwinClient(Hub.service());
    DeviceClient client = device.client(protocol);
    client.open(false);
    LinkedBlockingQueue<com.microsoft.azure.sdk.iot.device.twin.Twin> heard = new LinkedBlockingQueue<>();
    client.subscribeToDesiredProperties((patch, context) -> heard.add(patch), null);
    com.microsoft.azure.sdk.iot.device.twin.Twin mine = Hub.asked(() -> client.getTwin(Hub.ANSWER_MS));
    assertEquals(1, mine.getDesiredProperties().getVersion());

    Hub.asked(() -> {
      TwinCollection reported = client.getTwin(Hub.ANSWER_MS).getReportedProperties();
      reported.put("fw", "2");
      return client.updateReportedProperties(reported, Hub.ANSWER_MS);
    });
    Twin seen = service.get(device.id());
    assertEquals("2", seen.getReportedProperties().get("fw"));

    seen.getDesiredProperties().put("interval", 10);
    service.patch(seen);
    com.microsoft.azure.sdk.iot.device.twin.Twin patch = heard.poll(30, TimeUnit.SECONDS);
    Assertions.assertNotNull(patch, "the desired change");
    assertEquals(10.0, ((Number) patch.getDesiredProperties().get("interval")).doubleValue());
    assertEquals(2, patch.getDesiredProperties().getVersion());
    client.close();
  }

  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = "HTTPS", mode = EnumSource.Mode.EXCLUDE)
  void methodIsAnswered(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    DirectMethodsClient service = new DirectMethodsClient(Hub.service());
    DeviceClient client = device.client(protocol);
    client.open(false);
    client.subscribeToMethods(
        (name, payload, context) -> new DirectMethodResponse(201, name), null);
    var answer = service.invoke(device.id(), "reboot",
        DirectMethodRequestOptions.builder().payload("now").methodConnectTimeoutSeconds(5).methodResponseTimeoutSeconds(15).build());
    assertEquals(201, answer.getStatus());
    assertEquals("reboot", answer.getPayload(String.class));
    client.close();
  }

  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = "HTTPS", mode = EnumSource.Mode.EXCLUDE)
  void moduleHasATwinAndMethodsOfItsOwn(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    TwinClient service = new TwinClient(Hub.service());
    ModuleClient client = device.moduleClient(protocol);
    client.open(false);
    LinkedBlockingQueue<com.microsoft.azure.sdk.iot.device.twin.Twin> heard = new LinkedBlockingQueue<>();
    client.subscribeToDesiredProperties((patch, context) -> heard.add(patch), null);
    Hub.asked(() -> {
      TwinCollection reported = client.getTwin(Hub.ANSWER_MS).getReportedProperties();
      reported.put("mine", true);
      return client.updateReportedProperties(reported, Hub.ANSWER_MS);
    });
    Twin seen = service.get(device.id(), Hub.MODULE);
    assertEquals(true, seen.getReportedProperties().get("mine"));
    assertFalse(service.get(device.id()).getReportedProperties().containsKey("mine"));
    seen.getDesiredProperties().put("interval", 10);
    service.patch(seen);
    Assertions.assertNotNull(heard.poll(30, TimeUnit.SECONDS), "the desired change");
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(202, name), null);
    var answer = new DirectMethodsClient(Hub.service()).invoke(device.id(), Hub.MODULE, "scan",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(5).methodResponseTimeoutSeconds(15).build());
    assertEquals(202, answer.getStatus());
    client.close();
  }

  @Test
  void methodOfADeviceThatIsAwayIs404103() throws Exception {
    Hub.Device device = Hub.newDevice();
    DirectMethodsClient service = new DirectMethodsClient(Hub.service());
    IotHubException failure = Assertions.assertThrows(IotHubException.class, () -> service.invoke(device.id(), "reboot",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(0).methodResponseTimeoutSeconds(10).build()));
    assertTrue(failure.getMessage().contains("DeviceNotOnline"), failure.getMessage());
  }

  @Test
  void tagsAndEtagsBelongToTheService() throws Exception {
    Hub.Device device = Hub.newDevice();
    TwinClient service = new TwinClient(Hub.service());
    Twin twin = new Twin(device.id());
    twin.getTags().put("site", "north");
    service.patch(twin);
    Twin seen = service.get(device.id());
    assertEquals("north", seen.getTags().get("site"));
    assertFalse(seen.getETag().isEmpty());
  }
}
