#include "hub/router.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace picket::hub {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    char name[] = "/tmp/picket-router-XXXXXX";
    folder = ::mkdtemp(name);
    open();
  }
  ~RouterTest() override {
    router.reset();
    journal.reset();
    std::filesystem::remove_all(folder);
  }
  void open() {
    journal::EmbeddedOptions options;
    options.directory = folder + "/journal";
    options.reserve_bytes = 0;
    auto opened = journal::open_embedded(std::move(options));
    journal = std::move(opened->journal);
    router = start_router(*journal, {}, system_clock(), {.directory = folder + "/files", .log = {}}).value();
    RoutingConfig config;
    config.storage.push_back({.name = "archive", .container = "telemetry"});
    config.routes.push_back({.name = "hot", .condition = "level = 'hot'", .endpoint = "archive"});
    router->set_routes("h", RouteSet::compile(std::move(config)).value());
  }
  void append(std::string_view level) {
    const Identity identity{"h", "d", "", "g"};
    const journal::Property properties[] = {{"level", level}};
    const journal::Record record{.kind = journal::RecordKind::message,
                                 .partition = partition_of(identity),
                                 .enqueued = {1'700'000'000'000'000},
                                 .identity = identity,
                                 .properties = properties,
                                 .body = as_bytes(level)};
    std::promise<void> durable;
    ASSERT_TRUE(journal->append(record, [&](Result<journal::RecordId>) { durable.set_value(); }).has_value());
    durable.get_future().wait();
  }
  /// Lines in all files, finished or not.
  [[nodiscard]] std::size_t lines() const {
    std::size_t out = 0;
    if (!std::filesystem::exists(folder + "/files")) return 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/files")) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) out += line.contains(R"("level":"hot")") ? 1 : 0;
    }
    return out;
  }
  void wait_for_lines(std::size_t count) const {
    for (int i = 0; i < 600 && lines() < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(lines(), count);
  }

  std::string folder;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<Router> router;
};

TEST_F(RouterTest, MatchingMessagesReachTheStorageEndpointAndTheRestTheBuiltInOne) {
  for (int i = 0; i < 10; ++i) append(i % 2 == 0 ? "hot" : "cold");
  wait_for_lines(5);
  // The last message has no line: it goes to the built-in endpoint.
  for (int i = 0; i < 600 && router->stats().delivered < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(router->stats().delivered, 10u);
  EXPECT_EQ(router->stats().fallback, 5u);
  const EventView view = router->view();
  auto reader = journal->reader({}).value();
  std::size_t shown = 0;
  const auto batch = reader->read(1 << 20);
  for (const auto& record : batch->records) shown += view(record) ? 1 : 0;
  EXPECT_EQ(shown, 5u);
}

TEST_F(RouterTest, ARestartGoesOnWhereTheFilesEnd) {
  append("hot");
  wait_for_lines(1);
  router.reset();
  journal.reset();
  open();
  append("hot");
  wait_for_lines(2);
}

}  // namespace
}  // namespace picket::hub
