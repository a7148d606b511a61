// Texts of Azure Resource Manager templates, as far as a file alone can tell them: "[concat(parameters('name'), ' - ',
// variables('_version'))]". Known are concat, format, parameters, variables (with a member), string, toLower, toUpper,
// trim, texts and whole numbers. What only a deployment knows (its time, its resource group, new ids) is left out.
// Pure; any thread; work and memory are bounded whatever the text says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace picket {

inline constexpr std::size_t kTemplateTextBytesMax = 16U << 20;  ///< Of all texts made for one.
inline constexpr int kTemplateStepsMax = 4'096;                  ///< Calls, names and literals.
inline constexpr int kTemplateDepthMax = 16;                     ///< Of calls in calls, and names that refer to names.

enum class TemplateName : std::uint8_t { parameter, variable };

/// What a template gives the name: a variable, or a parameter's default value. `member` is empty, or one of an object.
/// Objects and lists are JSON. nullopt: there is none.
using TemplateLookup =
    std::function<std::optional<std::string>(TemplateName kind, std::string_view name, std::string_view member)>;

struct TemplateText {
  std::string text;
  bool complete = true;  ///< False: parts that a file does not know are left out.
};

/// A text that is no expression is itself ("[[" begins one that looks like an expression). nullopt: an expression that
/// cannot be read.
std::optional<TemplateText> template_text(std::string_view text, const TemplateLookup& lookup);

}  // namespace picket
