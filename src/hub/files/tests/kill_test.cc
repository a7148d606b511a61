// A blob whose PUT was answered outlives kill -9, whole; what was not is not there in part.
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "hub/file_service.h"
#include "hub/testing/killed_child.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {
namespace {

std::string body_of(const std::string& name) {
  std::string out;
  while (out.size() < 20'000) out += name + ",";
  return out;
}

Result<std::unique_ptr<FileService>> files_in(const TemporaryState& state, state::Database& database) {
  FileOptions options;
  options.directory = state.folder() + "/blobs";
  options.key_file = state.folder() + "/blob.key";
  options.disk_reserve_bytes = 0;
  return make_files(database, system_clock(), options);
}

/// Opens uploads, puts their blobs, whole or in two blocks, and ends them, for ever.
void child(const TemporaryState& state, const Identity& device, int fd) {
  auto database = state::Database::open(state.path());
  if (!database) ::_exit(3);
  auto files = files_in(state, **database);
  if (!files) ::_exit(4);
  for (int n = 0;; ++n) {
    const auto name = std::to_string(n);
    const auto ticket =
        answer<UploadTicket>([&](auto done) { (*files)->open_upload(device, name, "h", std::move(done)); });
    if (!ticket) ::_exit(5);
    const auto target = "/" + ticket->container_name + "/" + ticket->blob_name + ticket->sas_token;
    const auto put = [&](const std::string& more, std::string_view body) {
      const auto grant = (*files)->grant_blob("PUT", target + more);
      auto upload = (*files)->begin_blob(*grant, body.size(), "");
      if (!upload || !(*upload)->append(as_bytes(body))) ::_exit(6);
      if (!answer<BlobFacts>([&](auto done) { (*upload)->finish(std::move(done)); })) ::_exit(7);
    };
    const auto body = body_of(name);
    if (n % 2 == 0) {
      put("", body);
    } else {
      put("&comp=block&blockid=MQ%3D%3D", body.substr(0, 9'000));
      put("&comp=block&blockid=Mg%3D%3D", body.substr(9'000));
      const auto grant = (*files)->grant_blob("PUT", target + "&comp=blocklist");
      const auto* const list = "<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>";
      if (!answer<BlobFacts>([&](auto done) { (*files)->commit_blocks(*grant, list, "", std::move(done)); }))
        ::_exit(8);
    }
    say(fd, name);
    if (!answer([&](Done<> done) {
          (*files)->close_upload(device, {ticket->correlation_id, true, 201, ""}, std::move(done));
        })) {
      ::_exit(9);
    }
  }
}

TEST(FilesKilled, KeepEveryBlobThatWasAnsweredAndNoHalfOne) {
  TemporaryState state;
  const auto device = state.add_device("dev1");
  for (const int lines : {5, 12, 22}) {
    state.close();
    const auto heard = run_and_kill([&](int fd) { child(state, device, fd); }, lines);
    state.reopen();
    auto files = files_in(state, *state);
    ASSERT_TRUE(files);
    const auto blobs = (*files)->list_blobs("hub1", "dev1", "", 10'000);
    ASSERT_TRUE(blobs);
    std::set<std::string> found;
    for (const auto& blob : *blobs) {
      const auto name = blob.name.substr(5);
      const auto reading = (*files)->read_blob("hub1", blob.name);
      ASSERT_TRUE(reading) << blob.name;
      std::string content(reading->facts.size_bytes, '\0');
      ASSERT_EQ(::pread(reading->file.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
      EXPECT_EQ(content, body_of(name)) << name;
      found.insert(name);
    }
    std::size_t at = 0;
    for (std::size_t end; (end = heard.find('\n', at)) != std::string::npos; at = end + 1) {
      EXPECT_TRUE(found.contains(heard.substr(at, end - at))) << "lost: " << heard.substr(at, end - at);
    }
  }
}

}  // namespace
}  // namespace picket::hub
