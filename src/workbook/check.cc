#include "workbook/check.h"

#include <algorithm>

#include "workbook/resolve.h"

namespace picket::workbook {
namespace {

constexpr std::size_t kOptionsTried = 8;

/// Something in every parameter, also in those whose values come from rows.
Choices samples(const Document& document) {
  Choices out = initial_choices(document);
  for (const Parameter& parameter : document.parameters) {
    if (out.contains(parameter.name)) continue;
    Choice choice{.values = {parameter.all_value.value_or("sample")}};
    if (parameter.several && !parameter.quote.empty()) choice.values.emplace_back("another's \"sample\"");
    out.emplace(parameter.name, std::move(choice));
  }
  for (const auto& [name, exported] : document.exports) {
    if (out.contains(name)) continue;
    // A row that was chosen is JSON: dynamic({Row}) wants it so.
    const auto as_row = [&](const Query& query) { return query.text.contains("dynamic({" + name + "}"); };
    Choice choice{.values = {std::ranges::any_of(document.queries, as_row) ? "{}" : "sample"}};
    if (exported.several && !exported.quote.empty()) choice.values.emplace_back("another's \"sample\"");
    out.emplace(name, std::move(choice));
  }
  return out;
}

class Checker {
 public:
  Checker(const Document& document, Timestamp now,
          const std::function<std::optional<std::string>(std::string_view)>& mistake_of)
      : document_(document), now_(now), mistake_of_(mistake_of) {}

  std::vector<Problem> run() {
    const Choices choices = samples(document_);
    for (const Query& query : document_.queries) {
      if (query.source != Source::kql) continue;
      if (!one(query, choices) || !with_no_row(query, choices)) continue;
      each_option(query, choices);
    }
    return std::move(problems_);
  }

 private:
  bool one(const Query& query, const Choices& choices) {
    const auto text = resolve(document_, choices, query.text, now_);
    if (!text) {
      problems_.push_back({query.path, query.title, "", text.error().parameter + ": " + text.error().message});
      return false;
    }
    const auto mistake = mistake_of_(*text);
    if (mistake) problems_.push_back({query.path, query.title, *text, *mistake});
    return !mistake;
  }

  /// Lists of chosen rows are empty at first, and the query runs.
  bool with_no_row(const Query& query, const Choices& choices) {
    Choices other = choices;
    const auto erased = std::erase_if(other, [&](const auto& choice) {
      const auto found = document_.exports.find(choice.first);
      return found != document_.exports.end() && found->second.several && query.text.contains("{" + choice.first);
    });
    return erased == 0 || one(query, other);
  }

  void each_option(const Query& query, const Choices& choices) {
    for (const Parameter& parameter : document_.parameters) {
      if (!query.text.contains("{" + parameter.name)) continue;
      for (std::size_t i = 0; i < std::min(parameter.options.size(), kOptionsTried); ++i) {
        Choices other = choices;
        other[parameter.name] = Choice{.values = {parameter.options[i].value}, .labels = {parameter.options[i].label}};
        if (!one(query, other)) return;
      }
    }
  }

  const Document& document_;
  const Timestamp now_;
  const std::function<std::optional<std::string>(std::string_view)>& mistake_of_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check(const Document& document, Timestamp now,
                           const std::function<std::optional<std::string>(std::string_view query)>& mistake_of) {
  return Checker(document, now, mistake_of).run();
}

}  // namespace picket::workbook
