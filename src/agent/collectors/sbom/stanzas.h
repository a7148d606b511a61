// Text databases of dpkg, opkg and apk: a stanza a package, read in pieces of any size and never held whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sbom/package.h"

namespace picket::agent {

/// Which database: deb and opkg are alike (deb-control(5)), apk has letters for fields.
enum class StanzaForm : std::uint8_t { deb, opkg, apk };

/// Takes the text in pieces; gives each installed package to the sink when its stanza ends. Cutting does not matter.
/// deb and opkg: only what is "install ok installed" (opkg: any that ends with "installed"). Longer lines than kLineMax
/// lose their end, which only ever cuts a value.
class StanzaParser {
 public:
  static constexpr std::size_t kLineMax = 1024;

  /// `status_needed`: false where a stanza without Status is an installed package (files of status.d).
  StanzaParser(StanzaForm form, bool status_needed, PackageSink sink);
  void feed(std::string_view text);
  /// The text has ended: so does the stanza.
  void finish();

 private:
  void on_line(std::string_view line);
  void on_field(std::string_view key, std::string_view value);
  void on_letter(char key, std::string_view value);
  void end_stanza();

  StanzaForm form_;
  bool status_needed_;
  PackageSink sink_;
  std::string line_;       ///< Of a line that the last piece cut.
  bool line_cut_ = false;  ///< line_ is full: the rest of the line is skipped.
  Package package_;
  bool installed_ = false, has_status_ = false, any_ = false;
};

}  // namespace picket::agent
