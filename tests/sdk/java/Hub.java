import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.service.auth.IotHubConnectionStringBuilder;
import com.microsoft.azure.sdk.iot.service.auth.IotHubServiceSasToken;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** What the cases share: the hub under test, its devices, its rows. Hosts and ports are the SDK's own. */
final class Hub {
  static final String HOST = System.getenv("PICKET_SDK_HUB");
  static final String MODULE = "DefenderIotMicroAgent";
  private static final Gson GSON = new Gson();
  // Made without the JVM's default context, which trusts what javax.net.ssl.trustStore names.
  private static final HttpClient HARNESS = HttpClient.newHttpClient();

  private Hub() {}

  /** A device with its security module and their connection strings. */
  record Device(String id, String string, String moduleString) {
    DeviceClient client(IotHubClientProtocol protocol) throws Exception {
      return new DeviceClient(string, protocol, options());
    }

    ModuleClient moduleClient(IotHubClientProtocol protocol) throws Exception {
      return new ModuleClient(moduleString, protocol, options());
    }
  }

  /** A token for the service's REST API, as the policy signs it. */
  static String serviceToken() throws Exception {
    return new IotHubServiceSasToken(IotHubConnectionStringBuilder.createIotHubConnectionString(service())).toString();
  }

  static ClientOptions options() throws Exception {
    return ClientOptions.builder().sslContext(SSLContext.getDefault()).build();
  }

  /** Asks the harness, see harness/control.py. */
  static JsonElement ask(String what, Map<String, String> body) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("PICKET_SDK_CONTROL") + "/" + what))
        .timeout(Duration.ofSeconds(120))
        .POST(HttpRequest.BodyPublishers.ofString(GSON.toJson(body)))
        .build();
    HttpResponse<String> answer = HARNESS.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IOException("harness: " + answer.body());
    return GSON.fromJson(answer.body(), JsonElement.class);
  }

  static Device newDevice() throws Exception {
    String id = "java-" + UUID.randomUUID().toString().substring(0, 8);
    JsonObject strings = ask("device", Map.of("id", id)).getAsJsonObject();
    return new Device(id, strings.get("device").getAsString(), strings.get("module").getAsString());
  }

  /** The connection string of the policy iothubowner. */
  static String service() throws Exception {
    return ask("service", Map.of("policy", "iothubowner")).getAsJsonObject().get("connectionString").getAsString();
  }

  static String key(String connectionString) {
    return connectionString.split("SharedAccessKey=")[1].split(";")[0];
  }

  /** The first value that is neither null nor false; fails with `what` after 30 seconds. */
  static <T> T until(String what, Callable<T> probe) throws Exception {
    Instant end = Instant.now().plusSeconds(30);
    while (true) {
      T value = probe.call();
      if (value != null && !Boolean.FALSE.equals(value)) return value;
      if (Instant.now().isAfter(end)) throw new AssertionError("not within 30 s: " + what);
      Thread.sleep(100);
    }
  }

  /**
   * The answer of a twin request, which may be asked again. The SDK loses answers that have come (README, "What the SDKs
   * cannot do"): only its time-out is forgiven.
   */
  static <T> T asked(Callable<T> request) throws Exception {
    for (int tries = 1; ; tries++) {
      try {
        return request.call();
      } catch (IotHubClientException failure) {
        if (failure.getStatusCode() != IotHubStatusCode.DEVICE_OPERATION_TIMED_OUT || tries == 6) throw failure;
      }
    }
  }

  /** Of each try of a request, in milliseconds. */
  static final int ANSWER_MS = 8000;

  /** The rows of a KQL query as soon as there are at least `count`. */
  static List<JsonObject> rows(String query, int count) throws Exception {
    return until(count + " rows of " + query, () -> {
      List<JsonObject> found = new ArrayList<>();
      ask("rows", Map.of("query", query)).getAsJsonArray().forEach(row -> found.add(row.getAsJsonObject()));
      return found.size() >= count ? found : null;
    });
  }

  static JsonObject rawEvent(String mark) throws Exception {
    return rows("SecurityIoTRawEvent | where EventDetails has \"" + mark + "\"", 1).get(0);
  }

  static Message securityMessage(String mark) {
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    String event = "{\"EventType\":\"Security\",\"Category\":\"Triggered\",\"Name\":\"ProcessCreate\",\"IsEmpty\":false,"
        + "\"PayloadSchemaVersion\":\"1.0\",\"Id\":\"" + UUID.randomUUID() + "\",\"TimestampLocal\":\"" + now
        + "\",\"TimestampUTC\":\"" + now + "\",\"Payload\":[{\"Executable\":\"/usr/bin/true\",\"ProcessId\":42,"
        + "\"ParentProcessId\":1,\"UserName\":\"root\",\"UserId\":0,\"CommandLine\":\"true " + mark + "\"}]}";
    String body = "{\"AgentVersion\":\"0.0.1\",\"AgentId\":\"" + UUID.randomUUID()
        + "\",\"MessageSchemaVersion\":\"1.0\",\"Events\":[" + event + "]}";
    Message message = new Message(body.getBytes(StandardCharsets.UTF_8));
    message.setContentType("application/json");
    message.setContentEncoding("utf-8");
    message.setMessageId(mark);
    message.setAsSecurityMessage();
    return message;
  }
}
