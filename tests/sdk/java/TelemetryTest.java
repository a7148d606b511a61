import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connecting and sending, over every transport of the Java SDK. */
@Timeout(60)
class TelemetryTest {
  @ParameterizedTest
  @EnumSource(IotHubClientProtocol.class)
  void aSecurityMessageBecomesARawEventOfItsDevice(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(protocol);
    client.open(false);
    client.sendEvent(Hub.securityMessage("mark-" + device.id()));
    assertEquals(device.id(), Hub.rawEvent("mark-" + device.id()).get("DeviceId").getAsString());
    client.close();
  }

  /** Over AMQPS the SDK marks by message annotation; without the mark the same message is telemetry like any other. */
  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = {"AMQPS", "AMQPS_WS"})
  void theSameMessageWithoutTheMarkMakesNoRawEvent(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(protocol);
    client.open(false);
    Message plain = new Message(Hub.securityMessage("unmarked-" + device.id()).getBytes());
    plain.setContentType("application/json");
    client.sendEvent(plain);
    client.sendEvent(Hub.securityMessage("behind-" + device.id()));
    Hub.rawEvent("behind-" + device.id());  // what came before it has been seen by now
    String unmarked = "SecurityIoTRawEvent | where EventDetails has \"unmarked-" + device.id() + "\"";
    assertEquals(0, Hub.rows(unmarked, 0).size());
    client.close();
  }

  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = "HTTPS", mode = EnumSource.Mode.EXCLUDE)
  void aModuleSendsWithItsOwnKey(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    ModuleClient client = device.moduleClient(protocol);
    // Only IoT Edge routes messages to modules: the hub grants the subscription, and has nothing to send.
    client.setMessageCallback("input1", (message, context) -> {
      throw new AssertionError("a message for a module");
    }, null);
    client.open(false);
    client.sendEvent(Hub.securityMessage("module-" + device.id()));
    client.sendEvent(new Message("to an output"), "out1");
    assertEquals(device.id(), Hub.rawEvent("module-" + device.id()).get("DeviceId").getAsString());
    client.close();
  }

  @ParameterizedTest
  @EnumSource(IotHubClientProtocol.class)
  void aWrongKeyIsRefused(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    Hub.Device other = Hub.newDevice();
    String wrong = device.string().replace(Hub.key(device.string()), Hub.key(other.string()));
    DeviceClient client = new DeviceClient(wrong, protocol, Hub.options());
    IotHubClientException failure = assertThrows(IotHubClientException.class, () -> {
      client.open(false);
      client.sendEvent(new Message("x"));
    });
    assertEquals(IotHubStatusCode.UNAUTHORIZED, failure.getStatusCode());
    client.close();
  }

  /** The SDK marks no message of a batch as a security message, so the hub's answer is what can be seen. */
  @Test
  void aBatchOverHttpsIsTaken() throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(IotHubClientProtocol.HTTPS);
    client.open(false);
    client.sendEvents(java.util.List.of(new Message("one"), new Message("two")));
    client.close();
  }
}
