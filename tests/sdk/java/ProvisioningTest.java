import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.provisioning.device.ProvisioningDeviceClient;
import com.microsoft.azure.sdk.iot.provisioning.device.ProvisioningDeviceClientRegistrationResult;
import com.microsoft.azure.sdk.iot.provisioning.device.ProvisioningDeviceClientStatus;
import com.microsoft.azure.sdk.iot.provisioning.device.ProvisioningDeviceClientTransportProtocol;
import com.microsoft.azure.sdk.iot.provisioning.device.internal.exceptions.ProvisioningDeviceClientException;
import com.microsoft.azure.sdk.iot.provisioning.security.SecurityProvider;
import com.microsoft.azure.sdk.iot.provisioning.security.SecurityProviderSymmetricKey;
import com.microsoft.azure.sdk.iot.provisioning.security.SecurityProviderX509;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Provisioning by key and by certificate. The hub offers it over MQTT and HTTPS, not over AMQP. */
@Timeout(200)
class ProvisioningTest {
  /** What the SDK leaves to its users: where certificate and key are. */
  private static final class Proof extends SecurityProviderX509 {
    private final Certificates mine;

    Proof(Certificates mine) {
      this.mine = mine;
    }

    @Override
    public String getClientCertificateCommonName() {
      return mine.certificate().getSubjectX500Principal().getName().substring("CN=".length());
    }

    @Override
    public X509Certificate getClientCertificate() {
      return mine.certificate();
    }

    @Override
    public Key getClientPrivateKey() {
      return mine.key();
    }

    @Override
    public Collection<X509Certificate> getIntermediateCertificatesChain() {
      return List.of();
    }
  }

  private static String name(String prefix) {
    return prefix + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  private static String key() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** By the service's REST API, which is what its SDK for other languages speaks. */
  private static void put(String path, String body) throws Exception {
    HttpResponse<String> answer = HttpClient.newHttpClient().send(
        HttpRequest.newBuilder(URI.create("https://" + Hub.HOST + path + "?api-version=2021-10-01"))
            .header("Authorization", Hub.serviceToken()).header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString());
    assertEquals(200, answer.statusCode(), answer.body());
  }

  private static String keys(String key) {
    return "{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"" + key + "\",\"secondaryKey\":\"" + key() + "\"}}";
  }

  private static ProvisioningDeviceClientRegistrationResult register(SecurityProvider proof,
      ProvisioningDeviceClientTransportProtocol protocol) throws Exception {
    JsonObject shown = Hub.ask("provisioning", Map.of()).getAsJsonObject();
    for (int tries = 1; ; tries++) {
      ProvisioningDeviceClient client =
          ProvisioningDeviceClient.create(Hub.HOST, shown.get("idScope").getAsString(), protocol, proof);
      try {
        return client.registerDeviceSync();
      } catch (ProvisioningDeviceClientException failure) {
        // The SDK may miss an answer that comes before it listens (README, "What the SDKs cannot do").
        if (!(failure.getCause() instanceof TimeoutException) || tries == 4) throw failure;
      } finally {
        client.close();
      }
    }
  }

  /** The device opens the hub that it was assigned to. */
  private static void connects(ProvisioningDeviceClientRegistrationResult result, SecurityProvider proof, Certificates mine)
      throws Exception {
    ClientOptions options = mine == null ? Hub.options() : ClientOptions.builder().sslContext(mine.context()).build();
    DeviceClient client =
        new DeviceClient(result.getIothubUri(), result.getDeviceId(), proof, IotHubClientProtocol.MQTT, options);
    client.open(false);
    client.sendEvent(Hub.securityMessage("provisioned-" + result.getDeviceId()));
    assertEquals(result.getDeviceId(), Hub.rawEvent("provisioned-" + result.getDeviceId()).get("DeviceId").getAsString());
    client.close();
  }

  @ParameterizedTest
  @EnumSource(value = ProvisioningDeviceClientTransportProtocol.class, names = {"HTTPS", "MQTT", "MQTT_WS"})
  void anIndividualEnrolmentByKey(ProvisioningDeviceClientTransportProtocol protocol) throws Exception {
    String registration = name("reg");
    String key = key();
    put("/enrollments/" + registration, "{\"registrationId\":\"" + registration + "\",\"attestation\":" + keys(key) + "}");
    SecurityProvider proof = new SecurityProviderSymmetricKey(key, key(), registration);
    ProvisioningDeviceClientRegistrationResult result = register(proof, protocol);
    assertEquals(ProvisioningDeviceClientStatus.PROVISIONING_DEVICE_STATUS_ASSIGNED, result.getProvisioningDeviceClientStatus());
    assertEquals(Hub.HOST, result.getIothubUri());
    connects(result, proof, null);
    assertThrows(Exception.class, () -> register(new SecurityProviderSymmetricKey(key(), key(), registration), protocol));
  }

  @ParameterizedTest
  @EnumSource(value = ProvisioningDeviceClientTransportProtocol.class, names = {"HTTPS", "MQTT", "MQTT_WS"})
  void aMemberOfAGroupByKey(ProvisioningDeviceClientTransportProtocol protocol) throws Exception {
    String group = name("group");
    String registration = name("member");
    String key = key();
    put("/enrollmentGroups/" + group, "{\"enrollmentGroupId\":\"" + group + "\",\"attestation\":" + keys(key) + "}");
    byte[] derived = SecurityProviderSymmetricKey.ComputeDerivedSymmetricKey(key.getBytes(StandardCharsets.UTF_8), registration);
    SecurityProvider proof = new SecurityProviderSymmetricKey(derived, registration);
    ProvisioningDeviceClientRegistrationResult result = register(proof, protocol);
    assertEquals(registration, result.getDeviceId());
    connects(result, proof, null);
  }

  @ParameterizedTest
  @EnumSource(value = ProvisioningDeviceClientTransportProtocol.class, names = {"HTTPS", "MQTT"})
  void anIndividualEnrolmentByCertificate(ProvisioningDeviceClientTransportProtocol protocol) throws Exception {
    String registration = name("cert");
    Certificates mine = Certificates.selfSigned(registration);
    String text = Base64.getEncoder().encodeToString(mine.certificate().getEncoded());
    put("/enrollments/" + registration, "{\"registrationId\":\"" + registration + "\",\"attestation\":{\"type\":\"x509\","
        + "\"x509\":{\"clientCertificates\":{\"primary\":{\"certificate\":\"" + text + "\"}}}}}");
    SecurityProvider proof = new Proof(mine);
    ProvisioningDeviceClientRegistrationResult result = register(proof, protocol);
    assertEquals(registration, result.getDeviceId());
    connects(result, proof, mine);
  }
}
