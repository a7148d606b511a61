// What is wrong with a document, said so that its author can mend it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace picket::sigma {

/// One fault of a document. A document with a fault is not loaded; the others of its file are.
struct Complaint {
  std::string file;
  std::uint32_t line = 0;  ///< From 1; 0: the whole file.
  std::string what;        ///< What is wrong, naming it: "modifier 'foo' is unknown".
  std::string advice;      ///< What to do about it.

  friend bool operator==(const Complaint&, const Complaint&) = default;
};

using Complaints = std::vector<Complaint>;

/// "rules/a.yml line 12: modifier 'foo' is unknown. Use one of …"
std::string to_string(const Complaint& complaint);

}  // namespace picket::sigma
