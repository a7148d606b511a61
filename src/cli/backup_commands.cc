#include "backup_commands.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/server/priority.h"
#include "output.h"
#include "server/backup.h"

namespace picket::cli {
namespace {

Outcome<void> tell(const char* what, const std::string& folder, const Result<server::BackupInfo>& done,
                   const std::string& detail) {
  if (!done) {
    const Exit exit = done.error().code == Errc::denied ? Exit::usage : Exit::failed;
    return std::unexpected(Failure{exit, fmt::format("{}: {}", detail, describe(done.error()))});
  }
  std::fputs(
      fmt::format("{} {}: {} files, {:.1f} MiB, taken {} by Picket {}\n", what, folder, done->files,
                  static_cast<double>(done->bytes) / (1 << 20), format_rfc3339(done->taken), printable(done->program))
          .c_str(),
      stdout);
  return {};
}

}  // namespace

void add_backup(CLI::App& app, const std::function<void(std::function<Outcome<void>()>)>& chosen) {
  static std::string data = "/var/lib/picket";
  static std::string folder;
  const auto with_data = [](CLI::App* command) {
    command->add_option("--data", data, "data directory of the server")->envname("PICKET_DATA")->capture_default_str();
  };
  auto* backup = app.add_subcommand("backup", "copies of the data directory; the server may run meanwhile");
  backup->require_subcommand(1);
  auto* create = backup->add_subcommand("create", "copy everything, with keys and secrets, into a new folder");
  create->add_option("FOLDER", folder, "made when missing; must be empty")->required();
  with_data(create);
  create->callback([chosen] {
    chosen([] {
      lower_priority();  // the server goes first
      std::string detail;
      const auto done = server::make_backup(data, folder, PICKET_VERSION, system_clock().now(), detail);
      return tell("backup in", folder, done, detail);
    });
  });
  auto* check = backup->add_subcommand("check", "read a backup whole; fails on the first file that is damaged");
  check->add_option("FOLDER", folder)->required();
  check->callback([chosen] {
    chosen([] {
      std::string detail;
      const auto done = server::check_backup(folder, detail);
      return tell("good backup in", folder, done, detail);
    });
  });
  auto* restore = app.add_subcommand("restore", "make a data directory from a backup; no server may run on it");
  restore->add_option("FOLDER", folder, "the backup")->required();
  with_data(restore);
  restore->callback([chosen] {
    chosen([] {
      std::string detail;
      const auto done = server::restore_backup(folder, data, detail);
      return tell("restored from", folder, done, detail);
    });
  });
}

}  // namespace picket::cli
