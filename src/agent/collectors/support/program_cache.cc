#include "support/program_cache.h"

namespace picket::agent {

const ProgramCache::Program& ProgramCache::put(std::uint32_t pid, std::uint64_t start, std::string_view executable,
                                               std::string_view argv) {
  Program* place = nullptr;
  for (Program& program : programs_) {
    if (program.pid == pid && program.start == start) place = &program;  // it has executed another program since
  }
  if (!place && programs_.size() < kEntriesMax) place = &programs_.emplace_back();
  if (!place) {
    place = &programs_[oldest_];
    oldest_ = (oldest_ + 1) % kEntriesMax;
  }
  place->pid = pid;
  place->start = start;
  place->executable.assign(executable);
  place->argv.assign(argv.substr(0, kArgvKept));
  return *place;
}

}  // namespace picket::agent
