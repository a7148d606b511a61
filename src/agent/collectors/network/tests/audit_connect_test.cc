// Records of connect() and accept() as the kernel writes them.
#include "network/audit_connect.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

namespace picket::agent {
namespace {

std::string call(unsigned number, int exit, std::uint64_t serial) {
  char arch[16];
  std::snprintf(arch, sizeof(arch), "%x", kConnectCalls.arch);
  return "audit(1795332000.250:" + std::to_string(serial) + "): arch=" + arch + " syscall=" + std::to_string(number) +
         " success=" + (exit < 0 ? "no" : "yes") + " exit=" + std::to_string(exit) +
         " a0=5 a1=7ffe7d0c5b60 a2=10 a3=0 items=0 ppid=700 pid=812 auid=4294967295 uid=1000 gid=1000 euid=1000 "
         "suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts1 ses=4294967295 comm=\"curl\" "
         "exe=\"/usr/bin/curl\" subj=unconfined key=\"picket-network\"";
}
std::string record(std::uint64_t serial, const std::string& fields) {
  return "audit(1795332000.250:" + std::to_string(serial) + "): " + fields;
}
constexpr const char* kWeb = "saddr=020001BBC00002070000000000000000";  // 192.0.2.7:443

TEST(AuditConnect, JoinsTheRecordsOfOneCall) {
  AuditConnectAssembler assembler;
  EXPECT_EQ(assembler.take(AUDIT_SYSCALL, call(kConnectCalls.connect, -115, 31)), nullptr);
  EXPECT_EQ(assembler.take(AUDIT_SYSCALL, call(kConnectCalls.connect, 0, 32)), nullptr);
  EXPECT_EQ(assembler.take(AUDIT_SOCKADDR, record(31, kWeb)), nullptr);
  EXPECT_EQ(assembler.take(AUDIT_PROCTITLE, record(31, "proctitle=6375726C002D73")), nullptr);
  const AuditConnect* connect = assembler.take(AUDIT_EOE, record(31, ""));
  ASSERT_NE(connect, nullptr);
  EXPECT_EQ(connect->remote, (Endpoint{{{192, 0, 2, 7}, 4}, 443}));
  EXPECT_FALSE(connect->incoming);
  EXPECT_FALSE(connect->failed);
  EXPECT_TRUE(connect->surely_tcp);
  EXPECT_EQ(connect->pid, 812u);
  EXPECT_EQ(connect->uid, 1000u);
  EXPECT_EQ(connect->descriptor, 5u);
  EXPECT_EQ(connect->executable, "/usr/bin/curl");
  EXPECT_EQ(connect->title, std::string("curl\0-s", 7));
  EXPECT_EQ(connect->time, (Timestamp{1'795'332'000'250'000}));
  EXPECT_EQ(assembler.take(AUDIT_EOE, record(32, "")), nullptr) << "its address is missing";
}

TEST(AuditConnect, AcceptHasItsDescriptorAsResult) {
  AuditConnectAssembler assembler;
  assembler.take(AUDIT_SYSCALL, call(kConnectCalls.accept4, 9, 1));
  assembler.take(AUDIT_SOCKADDR, record(1, "saddr=0A00A1B20000000020010DB800000000000000000000000100000000"));
  const AuditConnect* connect = assembler.take(AUDIT_EOE, record(1, ""));
  ASSERT_NE(connect, nullptr);
  EXPECT_TRUE(connect->incoming);
  EXPECT_EQ(connect->descriptor, 9u);
  EXPECT_EQ(connect->remote.address.length, 16);
  EXPECT_EQ(connect->remote.address.bytes[0], 0x20);
  EXPECT_EQ(connect->remote.address.bytes[15], 1);
  EXPECT_EQ(connect->remote.port, 0xa1b2);
}

TEST(AuditConnect, AnErrorIsAFailureUnlessItSaysNothingNew) {
  const auto verdict = [](int exit) -> std::string {
    AuditConnectAssembler assembler;
    assembler.take(AUDIT_SYSCALL, call(kConnectCalls.connect, exit, 1));
    assembler.take(AUDIT_SOCKADDR, record(1, kWeb));
    const AuditConnect* connect = assembler.take(AUDIT_EOE, record(1, ""));
    return connect == nullptr ? "none" : connect->failed ? "failed" : "opened";
  };
  EXPECT_EQ(verdict(0), "opened");
  EXPECT_EQ(verdict(-115), "opened");  // in progress
  EXPECT_EQ(verdict(-111), "failed");  // refused
  EXPECT_EQ(verdict(-110), "failed");  // timed out
  EXPECT_EQ(verdict(-114), "none");    // already
  EXPECT_EQ(verdict(-106), "none");    // is connected
}

TEST(AuditConnect, OthersCallsAndAddressesAreNone) {
  AuditConnectAssembler assembler;
  for (const char* address :
       {"saddr=01002F72756E2F6E736364", "saddr=0200", "saddr=", "saddr=02000000C0000207", "saddr=zz"}) {
    assembler.take(AUDIT_SYSCALL, call(kConnectCalls.connect, 0, 1));
    assembler.take(AUDIT_SOCKADDR, record(1, address));
    EXPECT_EQ(assembler.take(AUDIT_EOE, record(1, "")), nullptr) << address;
  }
  assembler.take(AUDIT_SYSCALL, call(59, 0, 2));
  assembler.take(AUDIT_SOCKADDR, record(2, kWeb));
  EXPECT_EQ(assembler.take(AUDIT_EOE, record(2, "")), nullptr) << "no connect";
}

TEST(AuditConnect, TheOldestMakesRoomAndCounts) {
  AuditConnectAssembler assembler;
  for (std::uint64_t serial = 1; serial <= AuditConnectAssembler::kOpenMax + 1; ++serial) {
    assembler.take(AUDIT_SYSCALL, call(kConnectCalls.connect, 0, serial));
    assembler.take(AUDIT_SOCKADDR, record(serial, kWeb));
  }
  EXPECT_EQ(assembler.unfinished(), 1u);
  EXPECT_EQ(assembler.take(AUDIT_EOE, record(1, "")), nullptr);
  EXPECT_NE(assembler.take(AUDIT_EOE, record(2, "")), nullptr);
}

}  // namespace
}  // namespace picket::agent
