import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.service.auth.AuthenticationType;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import java.util.UUID;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Devices that prove themselves by a certificate; the SDK takes none over AMQP in WebSocket. */
@Timeout(90)
class CertificateTest {
  private static DeviceClient client(String id, Certificates mine, IotHubClientProtocol protocol) throws Exception {
    return new DeviceClient("HostName=" + Hub.HOST + ";DeviceId=" + id + ";x509=true", protocol,
        ClientOptions.builder().sslContext(mine.context()).build());
  }

  @ParameterizedTest
  @EnumSource(value = IotHubClientProtocol.class, names = "AMQPS_WS", mode = EnumSource.Mode.EXCLUDE)
  void aThumbprintOpensItsDeviceAndNoOther(IotHubClientProtocol protocol) throws Exception {
    String id = "x509-" + UUID.randomUUID().toString().substring(0, 8);
    Certificates mine = Certificates.selfSigned(id);
    RegistryClient registry = new RegistryClient(Hub.service());
    Device device = new Device(id, AuthenticationType.SELF_SIGNED);
    device.setThumbprint(mine.thumbprint("SHA-1"), mine.thumbprint("SHA-256"));
    registry.addDevice(device);
    DeviceClient open = client(id, mine, protocol);
    open.open(false);
    open.sendEvent(Hub.securityMessage("x-" + id));
    assertEquals(id, Hub.rawEvent("x-" + id).get("DeviceId").getAsString());
    open.close();
    DeviceClient stranger = client(id, Certificates.selfSigned(id), protocol);
    assertThrows(IotHubClientException.class, () -> {
      stranger.open(false);
      stranger.sendEvent(Hub.securityMessage("never-" + id));
    });
    stranger.close();
  }
}
