// Any bytes as a request, as a signed command, as the list of blocked programs and as a mount table: what is taken is
// within its bounds, and what is written can be read again.
#include <cstdlib>

#include "../block_list.h"
#include "../command.h"
#include "../mount_points.h"
#include "base/core/json_reader.h"

using namespace picket;
using namespace picket::agent;

namespace {

void claim(bool holds) {
  if (!holds) std::abort();
}

void check(const ResponseCommand& command) {
  claim(!command.id.empty() && command.id.size() <= kCommandIdBytesMax);
  const auto arguments = parse_json(command.arguments);
  claim(!arguments || arguments->kind() == Json::Kind::object);
  // In force for whom it names, and only between its times.
  const CommandTarget target{command.device, command.module, command.hub, command.generation};
  const bool lives = command.expires > command.issued && command.expires - command.issued <= kCommandLifetimeMax;
  claim(check_command(command, target, command.issued).has_value() != lives);
  claim(check_command(command, target, command.expires).has_value());
  claim(check_command(command, {command.device + "x", command.module, {}, {}}, command.issued).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto request = parse_signed_command(text)) {
    claim(request->command.size() <= kCommandBytesMax + 3 && request->signatures.size() <= kSignaturesMax);
    if (const auto inner = parse_command(as_text(request->command))) check(*inner);
  }
  if (const auto command = parse_command(text)) check(*command);
  if (const auto programs = BlockList::parse(text)) {
    claim(programs->size() <= BlockList::kProgramsMax);
    for (std::size_t i = 1; i < programs->size(); ++i) claim((*programs)[i - 1].hash < (*programs)[i].hash);
  }
  const auto points = parse_mount_points(text);
  claim(points.size() <= kMountPointsMax);
  for (const std::string& point : points) claim(point.starts_with('/'));
  return 0;
}
