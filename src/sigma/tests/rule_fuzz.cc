// Claims: no text costs more than its bounds; what is refused says where and why; what is taken can be compiled and
// run, and the compiled matcher says what a plain walk says.
#include <cstdlib>

#include "matcher_oracle.h"
#include "sigma/matcher.h"
#include "sigma/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::sigma;
  if (size > 16'384) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Documents documents;
  Complaints complaints;
  read_documents("fuzz.yml", text, nullptr, documents, complaints);
  Complaints other;
  static_cast<void>(Processing::parse("fuzz.yml", text, other));
  const RuleSet rules = RuleSet::link(std::move(documents), complaints);
  for (const Complaint& complaint : complaints) {
    if (complaint.file != "fuzz.yml" || complaint.what.empty() || complaint.advice.empty()) std::abort();
  }
  Matcher matcher(rules);
  for (const LinkedRule& rule : rules.rules()) {
    // The rule's own text, cut in two, in each of the fields.
    for (FieldId field = 0; field < rules.field_count() && field < 4; ++field) {
      const EventField event[] = {{field, Value::of(text.substr(0, 64))},
                                  {kUnnamedField, Value::of(text.substr(text.size() / 2, 64))}};
      const auto found = matcher.match(matcher.route(rule.source), event);
      if (std::vector<RuleIndex>(found.begin(), found.end()) != Oracle{rules, event}.match(rule.source)) std::abort();
    }
  }
  return 0;
}
