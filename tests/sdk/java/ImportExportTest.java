import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.registry.RegistryJob;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Devices in bulk by a job, through the container of the hub. */
@Timeout(90)
class ImportExportTest {
  private static final String CONTAINER = "https://" + Hub.HOST + "/uploads-picket";
  private static final HttpClient STORAGE = HttpClient.newHttpClient();

  private static HttpResponse<String> file(String method, String name, String body) throws Exception {
    HttpRequest.BodyPublisher content =
        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body);
    return STORAGE.send(HttpRequest.newBuilder(URI.create(CONTAINER + "/" + name)).header("Authorization", Hub.serviceToken())
        .method(method, content).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static RegistryJob ended(RegistryClient registry, RegistryJob job) throws Exception {
    return Hub.until("the end of the job", () -> {
      RegistryJob now = registry.getJob(job.getJobId());
      RegistryJob.JobStatus status = now.getStatus();
      return status == RegistryJob.JobStatus.COMPLETED || status == RegistryJob.JobStatus.FAILED ? now : null;
    });
  }

  @Test
  void devicesAreImportedAndExported() throws Exception {
    RegistryClient registry = new RegistryClient(Hub.service());
    String id = "import-" + UUID.randomUUID().toString().substring(0, 8);
    String old = Hub.newDevice().id();
    String lines = "{\"id\":\"" + id + "\",\"importMode\":\"create\",\"status\":\"enabled\"}\n{\"id\":\"" + old
        + "\",\"importMode\":\"create\"}\n";
    assertEquals(201, file("PUT", "devices.txt", lines).statusCode());
    RegistryJob done = ended(registry, registry.importDevices(CONTAINER, CONTAINER));
    assertEquals(RegistryJob.JobStatus.COMPLETED, done.getStatus(), done.getFailureReason());
    String key = registry.getDevice(id).getPrimaryKey();
    String errors = file("GET", "importErrors.log", null).body();
    assertTrue(errors.contains(old), errors);

    for (boolean withoutKeys : new boolean[] {false, true}) {
      RegistryJob export = ended(registry, registry.exportDevices(CONTAINER, withoutKeys));
      assertEquals(RegistryJob.JobStatus.COMPLETED, export.getStatus(), export.getFailureReason());
      JsonObject mine = file("GET", "devices.txt", null).body().lines().map(line -> new Gson().fromJson(line, JsonObject.class))
          .filter(device -> device.get("id").getAsString().equals(id)).findFirst().orElseThrow();
      assertEquals(!withoutKeys, mine.toString().contains(key), mine.toString());
    }
  }
}
