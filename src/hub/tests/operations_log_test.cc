#include "hub/operations_log.h"

#include <gtest/gtest.h>

#include "memory_journal.h"

namespace picket::hub {
namespace {

constexpr Timestamp kTime{1'790'000'000'000'000};

TEST(OperationsLog, EventIsOneJsonObject) {
  const HubEvent event{.time = kTime,
                       .kind = HubEventKind::auth_failed,
                       .identity = {"hub1", "dev1", "", ""},
                       .source_address = "192.0.2.1",
                       .source_port = 4711,
                       .tls_version = "TLSv1.3",
                       .tls_cipher = "C",
                       .token_expiry = kTime,
                       .code = 401003,
                       .reason = "token_expired"};
  EXPECT_EQ(
      to_json(event, 2),
      R"({"v":2,"ts":"2026-09-21T14:13:20.000000Z","kind":"auth_failed","hub":"hub1","claimed":{"device":"dev1"},)"
      R"("src_ip":"192.0.2.1","port":4711,"protocol":"mqtt","transport":"tls","tls":{"version":"TLSv1.3","cipher":"C"},)"
      R"("auth":{"type":"sas","token_se":"2026-09-21T14:13:20.000000Z"},"result":{"code":401003,"reason":"token_expired"},)"
      R"("dropped_before":2})");
}

TEST(OperationsLog, EventCarriesTheCertificateAndWhetherTheRealDeviceIsOnline) {
  HubEvent event{.time = kTime, .kind = HubEventKind::auth_failed, .identity = {"hub1", "dev1", "", ""}};
  event.auth_type = "x509";
  event.reason = reason::kCertificateExpired;
  event.code = 401003;
  event.certificate = PeerCertificate{.thumbprint = "ab12", .issuer = "CA", .not_after = kTime};
  event.claimed_online = true;
  event.credential = "x509:00";
  EXPECT_EQ(
      to_json(event, 0, 7),
      R"({"v":2,"ts":"2026-09-21T14:13:20.000000Z","seq":7,"kind":"auth_failed","hub":"hub1","claimed":{"device":"dev1"},)"
      R"("claimed_online":true,"protocol":"mqtt","transport":"tls","tls":{"peer":{"thumbprint":"ab12","issuer":"CA",)"
      R"("not_after":"2026-09-21T14:13:20.000000Z"}},"auth":{"type":"x509","credential":"x509:00"},)"
      R"("result":{"code":401003,"reason":"certificate_expired"}})");
}

TEST(OperationsLog, CutsTextsOfDevices) {
  HubEvent event{.time = kTime, .kind = HubEventKind::connect, .identity = {.hub = "hub1"}};
  event.sdk = std::string(100'000, 'x');
  EXPECT_LT(to_json(event, 0).size(), 1000u);
}

TEST(OperationsLog, CredentialFingerprintShowsNothingOfTheKey) {
  const std::string key = "an installation's key of a device";
  const auto print = credential_fingerprint({1, 2}, "key", as_bytes(key));
  EXPECT_EQ(print.size(), 4u + 16u);
  EXPECT_EQ(print, credential_fingerprint({1, 2}, "key", as_bytes(key)));
  EXPECT_NE(print, credential_fingerprint({1, 3}, "key", as_bytes(key)));
}

TEST(OperationsLog, ClaimedIdentityIsNotTheRecords) {
  MemoryJournal journal;
  JournalOperationsLog log(journal);
  log.record({.time = kTime, .kind = HubEventKind::auth_failed, .identity = {"hub1", "dev1", "", ""}});
  log.record(
      {.time = kTime, .kind = HubEventKind::connect, .identity = {"hub1", "dev1", "", "g"}, .authenticated = true});
  const auto records = journal.records(journal::RecordKind::hub_event);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].identity, (Identity{"hub1", "", "", ""}));
  EXPECT_EQ(records[1].identity, (Identity{"hub1", "dev1", "", "g"}));
}

TEST(OperationsLog, WhatDoesNotFitIsDroppedAndTheNextEventSaysHowMuch) {
  MemoryJournal journal;
  JournalOperationsLog log(journal);
  const HubEvent event{.time = kTime, .kind = HubEventKind::connect, .identity = {.hub = "hub1"}};
  journal.hold_events(true);
  for (std::uint64_t i = 0; i < JournalOperationsLog::kPendingMax + 7; ++i) log.record(event);
  EXPECT_EQ(journal.held(), JournalOperationsLog::kPendingMax);
  EXPECT_EQ(log.dropped(), 7u);
  journal.hold_events(false);
  while (journal.held() > 0) journal.release_one();
  log.record(event);
  log.record(event);
  const auto records = journal.records(journal::RecordKind::hub_event);
  EXPECT_NE(records[records.size() - 2].body.find(R"("dropped_before":7)"), std::string::npos);
  EXPECT_EQ(records.back().body.find("dropped_before"), std::string::npos);
}

TEST(OperationsLog, OutlivedByTheCallbacksOfItsJournal) {
  MemoryJournal journal;
  journal.hold_events(true);
  JournalOperationsLog(journal).record({.time = kTime, .identity = {.hub = "hub1"}});
  journal.release_one();
}

}  // namespace
}  // namespace picket::hub
