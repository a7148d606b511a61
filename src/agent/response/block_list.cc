#include "block_list.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_reader.h"
#include "base/core/json_writer.h"
#include "command.h"

namespace picket::agent {
namespace {

constexpr std::size_t kJsonDepthMax = 2;

}  // namespace

Result<std::vector<BlockedProgram>> BlockList::parse(std::string_view text) {
  const auto json = parse_json(text, kJsonDepthMax);
  if (!json || json->kind() != Json::Kind::object) return fail(Errc::malformed, "response.blocked");
  std::vector<BlockedProgram> out;
  Result<> each_is_good;
  json->for_members([&](std::string_view name, Json value) {
    if (!each_is_good) return;
    const auto bytes = from_hex(name);
    auto id = value.text();
    if (!bytes || bytes->size() != sizeof(Sha256) || !id || id->size() > kCommandIdBytesMax) {
      each_is_good = fail(Errc::malformed, "response.blocked");
    } else if (out.size() == kProgramsMax) {
      each_is_good = fail(Errc::limit_exceeded, "response.blocked");
    } else {
      std::ranges::copy(*bytes, out.emplace_back(BlockedProgram{{}, *std::move(id)}).hash.begin());
    }
  });
  TRY_VOID(each_is_good);
  std::ranges::sort(out, {}, &BlockedProgram::hash);
  const auto same = std::ranges::unique(out, {}, &BlockedProgram::hash);
  out.erase(same.begin(), same.end());
  return out;
}

Result<> BlockList::load() {
  programs_.clear();
  const auto text = read_file(path_, kFileBytesMax);
  if (!text) return text.error().code == Errc::not_found ? Result<>() : std::unexpected(text.error());
  TRY(programs_, parse(*text));
  return {};
}

const BlockedProgram* BlockList::find(const Sha256& hash) const {
  const auto at = std::ranges::lower_bound(programs_, hash, {}, &BlockedProgram::hash);
  return at != programs_.end() && at->hash == hash ? &*at : nullptr;
}

Result<> BlockList::add(const Sha256& hash, std::string_view command_id) {
  if (find(hash) != nullptr) return {};
  if (programs_.size() >= kProgramsMax) return fail(Errc::limit_exceeded, "response.blocked");
  std::vector<BlockedProgram> programs = programs_;
  programs.insert(std::ranges::lower_bound(programs, hash, {}, &BlockedProgram::hash),
                  BlockedProgram{hash, std::string(command_id)});
  return change(std::move(programs));
}

Result<bool> BlockList::remove(const Sha256& hash) {
  if (find(hash) == nullptr) return false;
  std::vector<BlockedProgram> programs = programs_;
  std::erase_if(programs, [&hash](const BlockedProgram& each) { return each.hash == hash; });
  TRY_VOID(change(std::move(programs)));
  return true;
}

Result<> BlockList::change(std::vector<BlockedProgram> programs) {
  JsonWriter json;
  json.begin_object();
  for (const BlockedProgram& each : programs) json.key(to_hex(each.hash)).value(each.command_id);
  TRY_VOID(replace_file(path_, as_bytes(json.end_object().take())));
  programs_ = std::move(programs);
  return {};
}

}  // namespace picket::agent
