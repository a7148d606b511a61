// The hub's own records: rows of HubOperations, and the ten published alerts.
#include <gtest/gtest.h>

#include "hub_words.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

TEST(HubOperations, EventBecomesARowWithTypedColumns) {
  EngineHarness pipeline;
  pipeline.feed(hub_event("connect",
                          {{"src_ip", "192.0.2.1"},
                           {"port", "4711"},
                           {"protocol", "mqtt"},
                           {"transport", "websocket"},
                           {"tls.version", "TLSv1.3"},
                           {"tls.cipher", "TLS_AES_256_GCM_SHA384"},
                           {"tls.peer", R"({"thumbprint":"ab","not_after":"2030-01-01T00:00:00Z","issuer":"CA"})"},
                           {"auth.type", "x509"},
                           {"sdk", "node/1.18"},
                           {"result", R"({"code":0})"}},
                          noon(3)));
  ASSERT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.rows[0].table, workspace::kHubOperations);
  auto cells = pipeline.rows[0].cells;
  EXPECT_EQ(cells["TimeGenerated"], format_rfc3339(noon(3)));
  EXPECT_EQ(cells["Category"], "Connections");
  EXPECT_EQ(cells["OperationName"], "deviceConnect");
  EXPECT_EQ(cells["Level"], "Information");
  EXPECT_EQ(cells["ResultType"], "0");
  EXPECT_EQ(cells["DeviceId"], "device-1");
  EXPECT_EQ(cells["Claimed"], "false");
  EXPECT_EQ(cells["CallerIp"], "192.0.2.1");
  EXPECT_EQ(cells["Transport"], "websocket");
  EXPECT_EQ(cells["TlsVersion"], "TLSv1.3");
  EXPECT_EQ(cells["CertificateThumbprint"], "ab");
  EXPECT_EQ(cells["CertificateNotAfter"], "2030-01-01T00:00:00.000000Z");
  EXPECT_EQ(cells["AuthType"], "x509");
  EXPECT_EQ(cells["SdkVersion"], "node/1.18");
  EXPECT_EQ(cells["Count"], "1");
  EXPECT_NE(cells["Details"].find(R"("port":4711)"), std::string::npos);
}

TEST(HubOperations, ClaimedIdentityIsMarkedAsSuch) {
  EngineHarness pipeline;
  pipeline.feed(auth_failed("token_signature", {{"claimed_online", "true"}}));
  auto cells = pipeline.rows.at(0).cells;
  EXPECT_EQ(cells["DeviceId"], "device-1");
  EXPECT_EQ(cells["Claimed"], "true");
  EXPECT_EQ(cells["ClaimedOnline"], "true");
  EXPECT_EQ(cells["ResultType"], "401003");
  EXPECT_EQ(cells["ResultDescription"], "token_signature");
  EXPECT_EQ(cells["Level"], "Warning");
}

TEST(HubOperations, CountsAndAuditRecordsAreRowsToo) {
  EngineHarness pipeline;
  pipeline.feed(counted("d2c", "d2c_message", 25, noon(0), "device-1", {{"bytes", "2500"}}));
  EXPECT_EQ(pipeline.rows.at(0).cells["Category"], "DeviceTelemetry");
  EXPECT_EQ(pipeline.rows.at(0).cells["OperationName"], "ingress");
  EXPECT_EQ(pipeline.rows.at(0).cells["Count"], "25");
  EXPECT_EQ(pipeline.rows.at(0).cells["Bytes"], "2500");
  pipeline.feed(audit("device.create", {}, noon(9), "device-2"));
  EXPECT_EQ(pipeline.rows.at(1).cells["Category"], "DeviceIdentityOperations");
  EXPECT_EQ(pipeline.rows.at(1).cells["OperationName"], "create");
  EXPECT_EQ(pipeline.rows.at(1).cells["Actor"], "alice");
  EXPECT_EQ(pipeline.rows.at(1).cells["CallerIp"], "198.51.100.4");
  EXPECT_EQ(pipeline.rows.at(1).cells["DeviceId"], "device-2");
  pipeline.feed(audit("something.new"));
  EXPECT_EQ(pipeline.rows.at(2).cells["Category"], "Administration");
  EXPECT_EQ(pipeline.rows.at(2).cells["OperationName"], "something.new");
}

TEST(HubOperations, RecordOfVersionOneIsRead) {
  EngineHarness pipeline;
  pipeline.feed({.body =
                     R"({"v":1,"ts":"2026-11-21T12:00:00Z","kind":"auth_failed","hub":"hub","claimed":{"device":"d"},)"
                     R"("protocol":"mqtt","transport":"tls","result":{"code":401003,"reason":"token_expired"}})",
                 .identity = {"hub", "", "", ""},
                 .kind = journal::RecordKind::hub_event});
  EXPECT_EQ(pipeline.alerts("IoT_Expired_SAS_Token").size(), 1u);
}

TEST(HubOperations, RecordThatCannotBeReadIsADeadLetterAndCounted) {
  EngineHarness pipeline;
  for (const std::string body : {"", "[]", "{", "{}", R"({"kind":7})"}) {
    pipeline.feed({.body = body, .identity = {"hub", "", "", ""}, .kind = journal::RecordKind::hub_event});
  }
  EXPECT_EQ(pipeline.stats().hub_records_bad, 5u);
  ASSERT_EQ(pipeline.rows.size(), 5u);
  EXPECT_EQ(pipeline.rows[0].table, workspace::kDeadLetter);
  EXPECT_EQ(pipeline.rows[0].cells["Reason"], "a record of the hub could not be read");
}

TEST(HubOperations, AuditRecordThatIsAppendedAgainAfterACrashCountsOnce) {
  EngineHarness pipeline;
  auto record = audit("certificate.add", {{"object", "root"}});
  record.properties.emplace_back("outbox-id", "17");
  pipeline.feed(record);
  record.enqueued = noon(7200);
  pipeline.feed(record);
  EXPECT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.stats().hub_records_double, 1u);
  record.body = audit("certificate.add", {{"object", "other"}}).body;
  pipeline.feed(record);
  EXPECT_EQ(pipeline.rows.size(), 2u) << "another record of the same number: the state was restored from a backup";
}

TEST(HubOperations, RowIdsAreThoseOfTheRecord) {
  EngineHarness pipeline;
  pipeline.feed({process("/bin/ls", "ls")});
  pipeline.feed(hub_event("connect"));
  EXPECT_EQ(pipeline.rows.at(1).id, (workspace::RowId{2, 0, 0}));
}

struct AuditAlert {
  std::string kind;
  std::string type;
};

TEST(HubAlerts, CertificatesAndDiagnosticSettings) {
  const AuditAlert cases[] = {
      {"certificate.add", "IoT_CertificateSuccessfullyAddedToHub"},
      {"certificate.delete", "IoT_CertificateSuccessfullyDeletedFromHub"},
      {"certificate.add_failed", "Hub_CertificateFailedToBeAddedToHub"},
      {"certificate.delete_failed", "IoT.Hub_CertificateFailedToBeDeletedFromHub"},
      {"diagnostic.set", "IoT_DiagnosticSettingAddedOrEditedOnHub"},
      {"diagnostic.delete", "IoT_DiagnosticSettingDeletedFromHub"},
      {"diagnostic.delete_failed", "IoT_DiagnosticSettingDeletedFromHub"},
  };
  for (const auto& [kind, type] : cases) {
    EngineHarness pipeline;
    pipeline.feed(audit(kind, {{"object", "root"}, {"thumbprint", "ab12cd"}}));
    ASSERT_EQ(pipeline.alerts().size(), 1u) << kind;
    const AlertChange alert = pipeline.alerts()[0];
    EXPECT_EQ(alert.alert_type, type);
    EXPECT_EQ(alert.device, (Identity{"hub", "", "", ""}));
    EXPECT_EQ(property(alert, "Actor"), "alice");
    EXPECT_EQ(property(alert, "Remote Address"), "198.51.100.4");
    EXPECT_EQ(property(alert, "Object"), "root");
    ASSERT_EQ(alert.evidence.size(), 1u);
    EXPECT_EQ(alert.evidence[0].row, pipeline.rows.at(0).id);
  }
}

TEST(HubAlerts, RecordsOfTheRegistryAreRead) {
  const auto feed = [](const std::string& kind, Members members) {
    EngineHarness pipeline;
    pipeline.feed(audit(kind, std::move(members)));
    EXPECT_EQ(pipeline.alerts().size(), 1u) << kind;
    return pipeline.alerts().empty() ? AlertChange{} : pipeline.alerts()[0];
  };
  const Members failed{{"certificate", "root"}, {"outcome", "failed"}, {"reason", "no such certificate"}};
  EXPECT_EQ(feed("certificate.add", failed).alert_type, "Hub_CertificateFailedToBeAddedToHub");
  EXPECT_EQ(feed("certificate.delete", failed).alert_type, "IoT.Hub_CertificateFailedToBeDeletedFromHub");
  const AlertChange removed =
      feed("certificate.delete",
           {{"certificate", "root"}, {"thumbprint_before", "cafe"}, {"thumbprint", ""}, {"outcome", "succeeded"}});
  EXPECT_EQ(removed.alert_type, "IoT_CertificateSuccessfullyDeletedFromHub");
  EXPECT_EQ(property(removed, "Object"), "root");
  EXPECT_EQ(property(removed, "Before"), "cafe");
  EXPECT_EQ(feed("diagnostics.edit", {{"setting", "siem"}, {"added", "true"}}).alert_type,
            "IoT_DiagnosticSettingAddedOrEditedOnHub");
  EXPECT_EQ(feed("diagnostics.delete", {{"setting", "siem"}}).alert_type, "IoT_DiagnosticSettingDeletedFromHub");
}

TEST(HubAlerts, OtherChangesOfTheHubAreNoAlerts) {
  EngineHarness pipeline;
  for (const std::string kind : {"certificate.verify", "device.create", "policy.set", "key.read", "twin.update",
                                 "certificate.added", "diagnostic", "filter.change", "certificate.verify_failed"}) {
    pipeline.feed(audit(kind));
  }
  EXPECT_TRUE(pipeline.alerts().empty());
}

TEST(HubAlerts, TwoCertificatesAreTwoAlertsAndOneTwiceIsOne) {
  EngineHarness pipeline;
  pipeline.feed(audit("certificate.add", {{"object", "one"}}));
  pipeline.feed(audit("certificate.add", {{"object", "two"}}, noon(60)));
  pipeline.feed(audit("certificate.add", {{"object", "one"}}, noon(120)));
  EXPECT_EQ(pipeline.alerts().size(), 2u);
}

TEST(HubAlerts, CredentialsThatDoNotHold) {
  const AuditAlert cases[] = {{"token_expired", "IoT_Expired_SAS_Token"},
                              {"token_signature", "IoT_Invalid_SAS_Token"},
                              {"certificate_expired", "IoT_Cert_Expired"},
                              {"certificate_thumbprint", "IoT_Cert_Print_Mismatch"}};
  for (const auto& [reason, type] : cases) {
    EngineHarness pipeline;
    pipeline.feed(auth_failed(reason, {{"auth.token_se", "2026-11-21T11:00:00Z"},
                                       {"tls.peer", R"({"thumbprint":"ff","issuer":"Old CA"})"},
                                       {"claimed_online", "false"}}));
    ASSERT_EQ(pipeline.alerts().size(), 1u) << reason;
    const AlertChange alert = pipeline.alerts()[0];
    EXPECT_EQ(alert.alert_type, type);
    EXPECT_EQ(alert.device.device_id, "device-1");
    EXPECT_EQ(property(alert, "Remote Address"), "203.0.113.9");
    EXPECT_EQ(property(alert, "Expired For Seconds"), "3600");
    EXPECT_EQ(property(alert, "Thumbprint"), "ff");
    EXPECT_EQ(property(alert, "Device Online"), "false");
    EXPECT_EQ(property(alert, "Impersonation"), "");
    EXPECT_EQ(alert.evidence.size(), 1u);
    EXPECT_EQ(alert.entities.back().type, "ip");
  }
}

TEST(HubAlerts, ImpersonationIsLikelyWhenTheDeviceItselfIsOnline) {
  EngineHarness pipeline;
  pipeline.feed(auth_failed("token_expired", {{"claimed_online", "false"}}));
  EXPECT_EQ(pipeline.alerts()[0].severity, "Low");
  pipeline.feed(auth_failed("token_expired", {{"claimed_online", "true"}}, noon(60)));
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.alerts()[0].severity, "High");
  EXPECT_TRUE(property(pipeline.alerts()[0], "Impersonation").starts_with("likely"));
}

TEST(HubAlerts, LogTellsWhoIsOnlineWhereTheHubDoesNot) {
  std::vector<TestRecord> records{connect("device-1"), auth_failed("token_expired", {}, noon(1))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_EQ(property(pipeline.alerts("IoT_Expired_SAS_Token")[0], "Device Online"), "true");
  records.push_back(hub_event("disconnect", {}, noon(2)));
  records.push_back(auth_failed("token_signature", {}, noon(3)));
  for (std::size_t i = 2; i < 4; ++i) pipeline.feed(records[i]);
  EXPECT_EQ(property(pipeline.alerts("IoT_Invalid_SAS_Token")[0], "Device Online"), "false");
  records.push_back(connect("device-1", {}, noon(4)));
  records.push_back(connect("other", {{"seq", "1"}}, noon(5)));
  records.push_back(auth_failed("certificate_expired", {}, noon(6)));
  for (std::size_t i = 4; i < 7; ++i) pipeline.feed(records[i]);
  EXPECT_EQ(property(pipeline.alerts("IoT_Cert_Expired")[0], "Device Online"), "false") << "the hub was started anew";
  expect_restart_safe(records);
}

TEST(HubAlerts, ParityProfileKeepsThePublishedSeverity) {
  EngineHarness pipeline;
  pipeline.feed({.body = R"({"Profile":"parity"})", .kind = journal::RecordKind::rules_change});
  pipeline.feed(auth_failed("token_expired", {{"claimed_online", "true"}}));
  EXPECT_EQ(pipeline.alerts()[0].severity, "Low");
}

TEST(HubAlerts, OtherFailuresAreNoSuchAlerts) {
  EngineHarness pipeline;
  for (const std::string reason : {"unknown_identity", "disabled", "client_id", "token_expired2", ""}) {
    pipeline.feed(auth_failed(reason));
  }
  pipeline.feed(hub_event("disconnect", {{"result.reason", "token_expired"}}));
  pipeline.feed(auth_failed("token_expired", {}, kNoon, ""));
  EXPECT_TRUE(pipeline.alerts().empty());
}

TEST(HubAlerts, HubWhoseSecurityIsOffHasRowsOnly) {
  EngineHarness pipeline;
  pipeline.feed(audit("hub.update", {{"settings.security", "false"}}));
  pipeline.feed(auth_failed("token_expired"));
  EXPECT_TRUE(pipeline.alerts().empty());
  EXPECT_EQ(pipeline.rows.size(), 2u);
  pipeline.feed(audit("hub.update", {{"settings.security", "true"}}, noon(60)));
  pipeline.feed(auth_failed("token_expired", {}, noon(61)));
  EXPECT_EQ(pipeline.alerts().size(), 1u);
}

TEST(HubAlerts, TypesAreKnownByTheirOtherSpellings) {
  const Catalogue& catalogue = Catalogue::builtin();
  for (const std::string type : {"IoT_CertificateFailedToBeAddedToHub", "Hub_CertificateFailedToBeAddedToHub",
                                 "iot_certificatefailedtobeaddedtohub"}) {
    ASSERT_NE(catalogue.find_any(type), nullptr) << type;
    EXPECT_EQ(catalogue.find_any(type)->type, "Hub_CertificateFailedToBeAddedToHub");
  }
  EXPECT_EQ(catalogue.find_any("IOT_certificatefailedtobedeletedfromhub")->type,
            "IoT.Hub_CertificateFailedToBeDeletedFromHub");
  EXPECT_EQ(catalogue.find_any("IoT_Nothing"), nullptr);
}

TEST(HubAlerts, GoOnAcrossARestart) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(auth_failed(i % 3 == 0 ? "token_expired" : "token_signature", {}, noon(i * 20),
                                  "device-" + std::to_string(i % 4)));
    records.push_back(audit("certificate.add", {{"object", "root"}}, noon(i * 20 + 1)));
    records.back().properties.emplace_back("outbox-id", std::to_string(i / 2));
  }
  expect_restart_safe(records);
}

TEST(HubAlerts, DeviceGroupComesFromItsTwinTag) {
  EngineHarness pipeline;
  pipeline.feed(audit("twin.update", {{"tags", R"({"SecurityGroup":"plant-7"})"}}, kNoon, "device-1"));
  pipeline.feed(auth_failed("token_expired"));
  EXPECT_EQ(pipeline.alerts()[0].group, "plant-7");
  pipeline.feed(audit("twin.update", {{"tags", R"({"SecurityGroup":null})"}}, noon(1), "device-1"));
  pipeline.feed(auth_failed("token_signature", {}, noon(2)));
  EXPECT_EQ(pipeline.alerts("IoT_Invalid_SAS_Token")[0].group, "default");
}

}  // namespace
}  // namespace picket::pipeline
