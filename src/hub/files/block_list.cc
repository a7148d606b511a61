#include "block_list.h"

#include "base/core/encoding.h"
#include "hub/files.h"

namespace picket::hub {
namespace {

/// What is left to read; `at` for errors.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool accept(std::string_view literal) {
    if (!text_.substr(at_).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  /// Up to `literal`, which is read too; nullopt-like: npos when it is not there within `bytes_max`.
  Result<std::string_view> until(std::string_view literal, std::size_t bytes_max, std::string_view where) {
    const auto window = text_.substr(at_, bytes_max + literal.size());
    const auto end = window.find(literal);
    if (end == std::string_view::npos) return fail(Errc::malformed, where, at_);
    at_ += end + literal.size();
    return window.substr(0, end);
  }
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

constexpr std::size_t kDeclarationBytesMax = 128;
constexpr std::size_t kIdTextBytesMax = (kBlockIdBytesMax + 2) / 3 * 4;

Result<std::string> block(Reader& in, std::string_view end) {
  TRY(const auto text, in.until(end, kIdTextBytesMax, "files.block_list.id"));
  const auto id = from_base64(text);
  if (!id || id->empty()) return fail(Errc::malformed, "files.block_list.id", in.at());
  if (id->size() > kBlockIdBytesMax) return fail(Errc::limit_exceeded, "files.block_list.id", in.at());
  return std::string(as_text(*id));
}

}  // namespace

Result<std::vector<std::string>> parse_block_list(std::string_view xml) {
  Reader in(xml);
  in.accept("\xEF\xBB\xBF");
  if (in.accept("<?xml ")) TRY_VOID(in.until("?>", kDeclarationBytesMax, "files.block_list.declaration"));
  in.space();
  std::vector<std::string> out;
  if (in.accept("<BlockList/>") || in.accept("<BlockList />")) {
    in.space();
    if (!in.done()) return fail(Errc::malformed, "files.block_list.end", in.at());
    return out;
  }
  if (!in.accept("<BlockList>")) return fail(Errc::malformed, "files.block_list.root", in.at());
  for (;;) {
    in.space();
    if (in.accept("</BlockList>")) break;
    if (in.accept("<Committed>")) return fail(Errc::unsupported, "files.block_list.committed", in.at());
    if (out.size() == kBlocksMax) return fail(Errc::limit_exceeded, "files.block_list.blocks", in.at());
    std::string_view end;
    if (in.accept("<Latest>")) {
      end = "</Latest>";
    } else if (in.accept("<Uncommitted>")) {
      end = "</Uncommitted>";
    } else {
      return fail(Errc::malformed, "files.block_list.element", in.at());
    }
    TRY(auto id, block(in, end));
    out.push_back(std::move(id));
  }
  in.space();
  if (!in.done()) return fail(Errc::malformed, "files.block_list.end", in.at());
  return out;
}

}  // namespace picket::hub
