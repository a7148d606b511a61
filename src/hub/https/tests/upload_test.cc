#include "hub/json_value.h"
#include "service_fixture.h"

namespace picket::hub {
namespace {

using ::testing::HasSubstr;

class HttpsUpload : public ServiceTest {
 protected:
  struct Ticket {
    std::string correlation;
    std::string path;  ///< With the signature.
  };
  Ticket open(const std::string& name = "log.txt") {
    const Reply reply = call("POST", "/devices/dev1/files", dev1(), R"({"blobName":")" + name + R"("})");
    EXPECT_EQ(reply.status, 200) << reply.body;
    const auto ticket = parse_json(reply.body);
    if (!ticket) return {};
    EXPECT_EQ(ticket->text_of("hostName"), "localhost");
    EXPECT_EQ(ticket->text_of("blobName"), "dev1/" + name);
    return {std::string(ticket->text_of("correlationId")), "/" + std::string(ticket->text_of("containerName")) + "/" +
                                                               std::string(ticket->text_of("blobName")) +
                                                               std::string(ticket->text_of("sasToken"))};
  }
  Reply notify(const Ticket& ticket, bool in_path) {
    const std::string path = "/devices/dev1/files/notifications" + (in_path ? "/" + ticket.correlation : "");
    const std::string id = in_path ? "" : R"("correlationId":")" + ticket.correlation + R"(",)";
    return call("POST", path, dev1(), "{" + id + R"("isSuccess":true,"statusCode":201,"statusDescription":"ok"})");
  }
};

TEST_F(HttpsUpload, StoresABlobAndTellsTheService) {
  start();
  for (const bool in_path : {true, false}) {
    const Ticket ticket = open();
    const std::string content(1'000'000, in_path ? 'a' : 'b');
    const Reply put =
        call("PUT", ticket.path, "", content, {{"x-ms-blob-type", "BlockBlob"}, {"x-ms-version", "2021-12-02"}});
    EXPECT_EQ(put.status, 201) << put.body;
    EXPECT_NE(put.header("etag"), "");
    EXPECT_NE(put.header("x-ms-request-id"), "");
    EXPECT_EQ(notify(ticket, in_path).status, 204);
    const Reply told = call("GET", "/messages/serviceBound/filenotifications", owner());
    EXPECT_EQ(told.status, 200);
    EXPECT_THAT(told.body, HasSubstr(R"("blobName":"dev1/log.txt")"));
    EXPECT_THAT(told.body, HasSubstr(R"("blobSizeInBytes":1000000)"));
    const std::string lock = told.header("etag");
    EXPECT_EQ(
        call("DELETE", "/messages/serviceBound/filenotifications/" + lock.substr(1, lock.size() - 2), owner()).status,
        204);
    EXPECT_EQ(call("GET", "/messages/serviceBound/filenotifications", owner()).status, 204);
  }
}

TEST_F(HttpsUpload, JoinsBlocksAsTheStorageClientsSendThem) {
  start();
  const Ticket ticket = open();
  EXPECT_EQ(call("PUT", ticket.path + "&comp=block&blockid=MDE%3D", "", "one ").status, 201);
  EXPECT_EQ(call("PUT", ticket.path + "&comp=block&blockid=MDI%3D", "", "two").status, 201);
  const Reply list =
      call("PUT", ticket.path + "&comp=blocklist", "",
           R"(<?xml version="1.0" encoding="UTF-8"?><BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>)",
           {{"x-ms-blob-content-type", "text/plain"}});
  EXPECT_EQ(list.status, 201) << list.body;
  EXPECT_EQ(notify(ticket, true).status, 204);
  EXPECT_EQ(
      call("PUT", open("other").path + "&comp=blocklist", "", "<BlockList><Latest>MDE=</Latest></BlockList>").status,
      400)
      << "a block that nobody has sent";
}

TEST_F(HttpsUpload, RefusalsAreInTheWordsOfStorage) {
  start();
  const Ticket ticket = open();
  std::string forged = ticket.path;
  forged.replace(forged.find("dev1/log.txt"), 12, "dev2/log.txt");
  const Reply other = call("PUT", forged, "", "x");
  EXPECT_EQ(other.status, 403);
  EXPECT_THAT(other.body, HasSubstr("<Code>AuthenticationFailed</Code>"));
  EXPECT_NE(other.header("x-ms-error-code"), "");
  clock_.advance(Duration::hours(2));
  EXPECT_EQ(call("PUT", ticket.path, "", "x").status, 403) << "its time is over";
}

TEST_F(HttpsUpload, ABlobOfTheLargestSizePlusOneIsRefusedBeforeItComes) {
  start();
  const Ticket ticket = open();
  const auto client = net::TestClient::connect(head_->port());
  ASSERT_TRUE(client->send(as_bytes("PUT " + ticket.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                                    std::to_string(kBlobBytesMax + 1) + "\r\n\r\n")));
  EXPECT_EQ(read_reply(*client).status, 413);
}

TEST_F(HttpsUpload, NamesStayBelowTheDevice) {
  start();
  for (const auto* name : {"../dev2/x", "a/../../x", "..", "", "a\\\\b", "a\\u0000b"}) {
    const Reply reply = call("POST", "/devices/dev1/files", dev1(), R"({"blobName":")" + std::string(name) + R"("})");
    EXPECT_EQ(reply.status, 400) << name;
  }
  EXPECT_EQ(call("POST", "/devices/dev1/files", token("dev2", "", "key of dev2"), R"({"blobName":"x"})").status, 401);
}

}  // namespace
}  // namespace picket::hub
