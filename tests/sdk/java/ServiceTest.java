import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.service.configurations.Configuration;
import com.microsoft.azure.sdk.iot.service.configurations.ConfigurationContent;
import com.microsoft.azure.sdk.iot.service.configurations.ConfigurationsClient;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubException;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJob;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJobStatus;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJobsClient;
import com.microsoft.azure.sdk.iot.service.query.QueryClient;
import com.microsoft.azure.sdk.iot.service.query.QueryPageOptions;
import com.microsoft.azure.sdk.iot.service.query.TwinQueryResponse;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.DeviceStatus;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Registry, queries, jobs and configurations. */
@Timeout(90)
class ServiceTest {
  private static String name(String prefix) {
    return prefix + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  @Test
  void deviceIsCreatedReadChangedAndDeleted() throws Exception {
    RegistryClient registry = new RegistryClient(Hub.service());
    Device made = registry.addDevice(new Device(name("crud")));
    assertEquals(DeviceStatus.Enabled, made.getStatus());
    assertEquals(made.getPrimaryKey(), registry.getDevice(made.getDeviceId()).getPrimaryKey());
    made.setStatus(DeviceStatus.Disabled);
    Device changed = registry.updateDevice(made);
    assertEquals(DeviceStatus.Disabled, changed.getStatus());
    assertNotEquals(made.getETag(), changed.getETag());
    registry.removeDevice(made.getDeviceId());
    assertThrows(IotHubException.class, () -> registry.getDevice(made.getDeviceId()));
  }

  @Test
  void modulesAndStatistics() throws Exception {
    RegistryClient registry = new RegistryClient(Hub.service());
    String id = registry.addDevice(new Device(name("mod"))).getDeviceId();
    registry.addModule(new Module(id, "m1"));
    assertEquals("m1", registry.getModule(id, "m1").getId());
    assertTrue(registry.getModulesOnDevice(id).stream().anyMatch(module -> module.getId().equals("m1")));
    registry.removeModule(id, "m1");
    assertTrue(registry.getStatistics().getTotalDeviceCount() >= 1);
  }

  @Test
  void queryComesInPages() throws Exception {
    RegistryClient registry = new RegistryClient(Hub.service());
    TwinClient twins = new TwinClient(Hub.service());
    String fleet = name("fleet");
    for (int n = 0; n < 5; ++n) {
      Twin twin = new Twin(registry.addDevice(new Device(fleet + "-" + n)).getDeviceId());
      twin.getTags().put("fleet", fleet);
      twins.patch(twin);
    }
    QueryPageOptions page = QueryPageOptions.builder().pageSize(2).build();
    TwinQueryResponse answer = new QueryClient(Hub.service())
        .queryTwins("SELECT * FROM devices WHERE tags.fleet = '" + fleet + "'", page);
    List<String> seen = new ArrayList<>();
    while (answer.hasNext()) seen.add(answer.next(page).getDeviceId());
    seen.sort(null);
    assertEquals(List.of(fleet + "-0", fleet + "-1", fleet + "-2", fleet + "-3", fleet + "-4"), seen);
  }

  @Test
  void jobUpdatesTwins() throws Exception {
    RegistryClient registry = new RegistryClient(Hub.service());
    ScheduledJobsClient jobs = new ScheduledJobsClient(Hub.service());
    String id = registry.addDevice(new Device(name("job"))).getDeviceId();
    Twin update = new Twin();
    update.setETag("*");
    update.getDesiredProperties().put("batch", 7);
    ScheduledJob job = jobs.scheduleUpdateTwin(name("job"), "deviceId = '" + id + "'", update, new Date(), 60);
    Hub.until("the job ends", () -> jobs.get(job.getJobId()).getJobStatus() == ScheduledJobStatus.completed);
    assertEquals(7.0, ((Number) new TwinClient(Hub.service()).get(id).getDesiredProperties().get("batch")).doubleValue());
  }

  @Test
  void configurationIsKept() throws Exception {
    ConfigurationsClient configurations = new ConfigurationsClient(Hub.service());
    Configuration wanted = new Configuration(name("config"));
    HashMap<String, Object> content = new HashMap<>();
    content.put("properties.desired.agent", java.util.Map.of("interval", 30));
    ConfigurationContent wrapped = new ConfigurationContent();
    wrapped.setDeviceContent(content);
    wanted.setContent(wrapped);
    wanted.setTargetCondition("tags.none='x'");
    wanted.setPriority(3);
    configurations.create(wanted);
    assertEquals(3, configurations.get(wanted.getId()).getPriority());
    assertTrue(configurations.get(100).stream().anyMatch(found -> found.getId().equals(wanted.getId())));
    configurations.delete(wanted.getId());
    assertThrows(IotHubException.class, () -> configurations.get(wanted.getId()));
  }
}
