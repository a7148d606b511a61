#include "backup_list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "base/core/hash.h"

namespace picket::server {
namespace {

constexpr std::string_view kMagic = "picket-backup";
constexpr std::size_t kEndBytes = 13;  // "end " and 8 hex digits and a line break

std::unexpected<Error> malformed() { return fail(Errc::malformed, "backup.list"); }

/// The text up to `end`, which is taken away too.
Result<std::string_view> word(std::string_view& rest, char end) {
  const auto at = rest.find(end);
  if (at == std::string_view::npos || at == 0) return malformed();
  const auto out = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return out;
}

template <class T>
Result<T> number(std::string_view& rest, char end, int base = 10) {
  TRY(const auto text, word(rest, end));
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || stop != text.data() + text.size()) return malformed();
  return value;
}

Result<> expect(std::string_view& rest, std::string_view keyword) {
  TRY(const auto text, word(rest, ' '));
  return text == keyword ? Result<>{} : malformed();
}

/// A path of a hostile list must not lead out of the folder that it is restored into.
bool stays_inside(std::string_view path) {
  const std::filesystem::path parts(path);
  return !parts.is_absolute() && std::ranges::none_of(parts, [](const auto& part) { return part == ".."; }) &&
         parts.lexically_normal() == parts && path != kBackupListName;
}

Result<BackupFile> read_file_line(std::string_view& rest) {
  BackupFile out;
  TRY_VOID(expect(rest, "file"));
  TRY(out.bytes, number<std::uint64_t>(rest, ' '));
  TRY(out.crc, number<std::uint32_t>(rest, ' ', 16));
  TRY(out.path, word(rest, '\n'));
  if (!stays_inside(out.path)) return malformed();
  return out;
}

}  // namespace

std::string encode_backup_list(const BackupList& list) {
  std::string out = fmt::format("{} {}\nprogram {}\ndata {}\ntaken {}\n", kMagic, kBackupFormat, list.program,
                                list.data_version, list.taken.us);
  for (const BackupFile& file : list.files) out += fmt::format("file {} {:08x} {}\n", file.bytes, file.crc, file.path);
  return out + fmt::format("end {:08x}\n", crc32c(as_bytes(out)));
}

Result<BackupList> decode_backup_list(std::string_view text) {
  std::string_view rest = text;
  TRY_VOID(expect(rest, kMagic));
  TRY(const auto format, number<std::uint32_t>(rest, '\n'));
  if (format != kBackupFormat) return fail(Errc::unsupported, "backup.format", format);
  if (text.size() < kEndBytes || rest.size() < kEndBytes) return malformed();
  const auto summed = text.substr(0, text.size() - kEndBytes);
  if (text.substr(summed.size()) != fmt::format("end {:08x}\n", crc32c(as_bytes(summed)))) return malformed();
  rest.remove_suffix(kEndBytes);
  BackupList out;
  TRY_VOID(expect(rest, "program"));
  TRY(out.program, word(rest, '\n'));
  TRY_VOID(expect(rest, "data"));
  TRY(out.data_version, number<int>(rest, '\n'));
  TRY_VOID(expect(rest, "taken"));
  TRY(out.taken.us, number<std::int64_t>(rest, '\n'));
  while (!rest.empty()) {
    TRY(BackupFile file, read_file_line(rest));
    out.files.push_back(std::move(file));
  }
  return out;
}

}  // namespace picket::server
