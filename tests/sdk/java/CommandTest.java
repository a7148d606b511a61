import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.FileUploadCompletionNotification;
import com.microsoft.azure.sdk.iot.device.FileUploadSasUriRequest;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.service.messaging.AcknowledgementType;
import com.microsoft.azure.sdk.iot.service.messaging.DeliveryAcknowledgement;
import com.microsoft.azure.sdk.iot.service.messaging.FeedbackRecord;
import com.microsoft.azure.sdk.iot.service.messaging.FeedbackStatusCode;
import com.microsoft.azure.sdk.iot.service.messaging.IotHubServiceClientProtocol;
import com.microsoft.azure.sdk.iot.service.messaging.Message;
import com.microsoft.azure.sdk.iot.service.messaging.MessageFeedbackProcessorClient;
import com.microsoft.azure.sdk.iot.service.messaging.MessagingClient;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Cloud-to-device messages with feedback, and file upload. */
@Timeout(90)
class CommandTest {
  private static final ConcurrentHashMap<String, FeedbackStatusCode> VERDICTS = new ConcurrentHashMap<>();
  private static MessageFeedbackProcessorClient feedback;

  @BeforeAll
  static void listen() throws Exception {
    feedback = new MessageFeedbackProcessorClient(Hub.service(), IotHubServiceClientProtocol.AMQPS, batch -> {
      for (FeedbackRecord record : batch.getRecords()) VERDICTS.put(record.getOriginalMessageId(), record.getStatusCode());
      return AcknowledgementType.COMPLETE;
    });
    feedback.start();
  }

  @AfterAll
  static void end() throws Exception {
    if (feedback != null) feedback.stop();
  }

  private static Message command(String text) {
    Message message = new Message(text);
    message.setMessageId(UUID.randomUUID().toString());
    message.setDeliveryAcknowledgement(DeliveryAcknowledgement.Full);
    return message;
  }

  private static void send(String deviceId, Message message, IotHubServiceClientProtocol protocol) throws Exception {
    MessagingClient service = new MessagingClient(Hub.service(), protocol);
    service.open();
    service.send(deviceId, message);
    service.close();
  }

  @ParameterizedTest
  @EnumSource(IotHubClientProtocol.class)
  void messageIsDeliveredAndCompleted(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(protocol);
    LinkedBlockingQueue<com.microsoft.azure.sdk.iot.device.Message> inbox = new LinkedBlockingQueue<>();
    client.setMessageCallback((message, context) -> {
      inbox.add(message);
      return IotHubMessageResult.COMPLETE;
    }, null);
    client.open(false);
    Message message = command("turn left");
    message.getProperties().put("speed", "slow");
    send(device.id(), message, IotHubServiceClientProtocol.AMQPS);
    var got = inbox.poll(60, TimeUnit.SECONDS);
    assertNotNull(got, "the message");
    assertEquals("turn left", new String(got.getBytes()));
    assertEquals("slow", got.getProperty("speed"));
    assertEquals(message.getMessageId(), got.getMessageId());
    assertEquals(FeedbackStatusCode.success, Hub.until("feedback", () -> VERDICTS.get(message.getMessageId())));
    client.close();
  }

  @ParameterizedTest
  @CsvSource({"AMQPS", "HTTPS"})
  void messageIsRejected(IotHubClientProtocol protocol) throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(protocol);
    client.setMessageCallback((message, context) -> IotHubMessageResult.REJECT, null);
    client.open(false);
    Message message = command("no");
    send(device.id(), message, IotHubServiceClientProtocol.AMQPS_WS);
    assertEquals(FeedbackStatusCode.rejected, Hub.until("feedback", () -> VERDICTS.get(message.getMessageId())));
    client.close();
  }

  @Test
  void fileIsPutByItsTicket() throws Exception {
    Hub.Device device = Hub.newDevice();
    DeviceClient client = device.client(IotHubClientProtocol.MQTT);
    client.open(false);
    var ticket = client.getFileUploadSasUri(new FileUploadSasUriRequest("log.txt"));
    assertEquals(device.id() + "/log.txt", ticket.getBlobName());
    URI uri = ticket.getBlobUri();
    HttpURLConnection put = (HttpURLConnection) uri.toURL().openConnection();
    put.setRequestMethod("PUT");
    put.setRequestProperty("x-ms-blob-type", "BlockBlob");
    put.setDoOutput(true);
    put.getOutputStream().write("a line\n".getBytes());
    assertEquals(201, put.getResponseCode());
    client.completeFileUpload(new FileUploadCompletionNotification(ticket.getCorrelationId(), true));
    client.close();
  }
}
