// Claim: what was read is read again the same from what it was kept as, and its initial choices go through its queries
// without an end of the program.
#include <cstdlib>
#include <string_view>

#include "workbook/document.h"
#include "workbook/resolve.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace picket::workbook;
  const auto files = read_file({reinterpret_cast<const char*>(data), size});
  if (!files) return 0;
  for (const Document& document : *files) {
    const auto again = read_document(document.json);
    if (!again || again->json != document.json || again->queries.size() != document.queries.size()) std::abort();
    const Choices choices = initial_choices(document);
    for (const Query& query : document.queries)
      static_cast<void>(resolve(document, choices, query.text, picket::Timestamp{0}));
  }
  return 0;
}
