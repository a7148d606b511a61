#include <gtest/gtest.h>

#include "hub/files.h"

namespace picket::hub {
namespace {

TEST(UploadJson, ReadsTheRequestOfATicket) {
  EXPECT_EQ(parse_upload_request(R"({"blobName":"a/b.txt"})").value(), "a/b.txt");
  for (const auto* bad : {"", "[]", "{}", R"({"blobName":""})", R"({"blobName":1})", R"({"blobName":null})", "{"}) {
    EXPECT_EQ(parse_upload_request(bad).error().code, kArgumentInvalid) << bad;
  }
  EXPECT_EQ(parse_upload_request(std::string(20'000, ' ')).error().code, kTooLarge);
}

TEST(UploadJson, ReadsTheEndOfAnUploadInBothForms) {
  const auto sdk = parse_upload_result("id 1", R"({"isSuccess":true,"statusCode":201})");
  EXPECT_EQ(sdk->correlation_id, "id 1");
  EXPECT_TRUE(sdk->success);
  EXPECT_EQ(sdk->status_code, 201);
  const auto documented =
      parse_upload_result("", R"({"correlationId":"id2","isSuccess":false,"statusCode":-1,"statusDescription":"no"})");
  EXPECT_EQ(documented->correlation_id, "id2");
  EXPECT_FALSE(documented->success);
  EXPECT_EQ(documented->description, "no");
  EXPECT_TRUE(parse_upload_result("x", R"({"isSuccess":true,"statusCode":null,"statusDescription":null})"));
  for (const auto* bad :
       {"{}", R"({"isSuccess":true})", R"({"correlationId":"a"})", R"({"correlationId":"a","isSuccess":"yes"})",
        R"({"correlationId":"a","isSuccess":true,"statusCode":"x"})"}) {
    EXPECT_FALSE(parse_upload_result("", bad)) << bad;
  }
}

TEST(UploadJson, WritesTheTicketAsSdksReadIt) {
  EXPECT_EQ(to_json(UploadTicket{"c", "h", "n", "d/f", "?s"}),
            R"({"correlationId":"c","hostName":"h","containerName":"n","blobName":"d/f","sasToken":"?s"})");
}

TEST(StorageErrors, SayWhatStorageClientsLookFor) {
  const auto denied = storage_error({kUnauthorized, "a < b & \x01"});
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.code, "AuthenticationFailed");
  EXPECT_EQ(denied.xml, R"(<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>)"
                        "<Message>a &lt; b &amp; </Message></Error>");
  EXPECT_EQ(storage_error({kDeviceNotFound, ""}).status, 404);
  EXPECT_EQ(storage_error({kTooLarge, ""}).status, 413);
}

}  // namespace
}  // namespace picket::hub
