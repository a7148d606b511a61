// Claim: any text is itself, unreadable, or a text within the bound; one that is no expression is itself.
#include <cstdlib>

#include "base/server/template_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = template_text(
      text, [&](TemplateName, std::string_view name, std::string_view) -> std::optional<std::string> {
        if (name.size() % 3 == 0) return std::nullopt;
        return name.size() % 3 == 1 ? std::string(text) : std::string(name);
      });
  const bool plain = !text.starts_with('[') || !text.ends_with(']');
  if (plain && !text.starts_with("[[") && (!found || found->text != text || !found->complete)) std::abort();
  if (found && !plain && found->text.size() > kTemplateTextBytesMax) std::abort();
  return 0;
}
