// Takes over what a retired Defender for IoT agent left on this device: the micro agent, and the classic C and C# ones.
#pragma once

#include <string>
#include <vector>

namespace picket::agent {

/// One thing of the old agent and what became of it.
struct MigrationLine {
  bool taken = false;
  std::string what;  ///< File, or setting in a file.
  std::string text;  ///< What it became, or why it was not taken.
};

struct MigrationFile {
  std::string path;
  std::string content;  ///< May be secret; always written with mode 0600.
};

/// What would be done. Nothing of it shows a key.
struct Migration {
  bool found = false;   ///< There is something of a retired agent.
  std::string problem;  ///< Why it cannot be applied; empty: it can.
  std::vector<MigrationLine> lines;
  std::vector<MigrationFile> files;
};

/// Reads, and only reads, below `from`: the root of the device's files, or the folder of the old agent's own. New files
/// go to the folder `to`. Files of the old agent are read up to 64 KiB each. The settings are checked as `run` would.
Migration plan_migration(const std::string& from, const std::string& to);

/// Writes plan.files; one that is there with the same content stays, one with other content is kept beside as
/// NAME.before-migrate (the first time). Empty: done, else what is wrong.
std::string apply_migration(const Migration& plan);

}  // namespace picket::agent
