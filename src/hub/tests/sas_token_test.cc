#include "hub/sas_token.h"

#include <gtest/gtest.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"

namespace picket::hub {
namespace {

const std::string kSig = percent_encode(to_base64(Sha256{}));

std::string where(std::string_view text) {
  const auto token = parse_sas_token(text);
  return token ? "accepted" : std::string(token.error().where);
}

TEST(SasToken, FieldsMayStandInAnyOrder) {
  for (const auto& text :
       {"SharedAccessSignature sr=h&sig=" + kSig + "&se=17", "SharedAccessSignature se=17&sig=" + kSig + "&sr=h"}) {
    const auto token = parse_sas_token(text);
    ASSERT_TRUE(token.has_value()) << text;
    EXPECT_EQ(token->resource, "h");
    EXPECT_EQ(token->expiry.us, 17'000'000);
    EXPECT_EQ(token->policy_name, "");
  }
}

TEST(SasToken, NamesEachDefect) {
  EXPECT_EQ(where(""), "hub.sas.scheme");
  EXPECT_EQ(where("Bearer x"), "hub.sas.scheme");
  EXPECT_EQ(where("SharedAccessSignature "), "hub.sas.sr");
  EXPECT_EQ(where("SharedAccessSignature sr=&sig=" + kSig + "&se=1"), "hub.sas.sr");
  EXPECT_EQ(where("SharedAccessSignature sr=h&se=1"), "hub.sas.sig");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=AAAA&se=1"), "hub.sas.sig");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=%zz&se=1"), "hub.sas.sig");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig), "hub.sas.se");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig + "&se="), "hub.sas.se");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig + "&se=-1"), "hub.sas.se");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig + "&se=1e9"), "hub.sas.se");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig + "&se=9999999999999"), "hub.sas.se");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sr=i&sig=" + kSig + "&se=1"), "hub.sas.field");
  EXPECT_EQ(where("SharedAccessSignature sr=h&sig=" + kSig + "&se=1&x=y"), "hub.sas.field");
  EXPECT_EQ(where("SharedAccessSignature sr"), "hub.sas.field");
  EXPECT_EQ(where("SharedAccessSignature sr=" + std::string(kSasTokenBytesMax, 'a')), "hub.sas");
}

TEST(SasToken, SignatureCoversTheLiteralResource) {
  const auto key = as_bytes("key");
  // The same resource in lower-case hex, in upper-case hex and raw: three different signatures.
  for (const auto* resource : {"localhost%2fdevices%2fdev1", "localhost%2Fdevices%2Fdev1", "localhost/devices/dev1"}) {
    const auto signature = to_base64(hmac_sha256(key, as_bytes(std::string(resource) + "\n1790000000")));
    const auto text =
        "SharedAccessSignature sr=" + std::string(resource) + "&sig=" + percent_encode(signature) + "&se=1790000000";
    const auto token = parse_sas_token(text);
    ASSERT_TRUE(token.has_value());
    EXPECT_TRUE(signature_matches(*token, key)) << resource;
    EXPECT_FALSE(signature_matches(*token, as_bytes("other"))) << resource;
    EXPECT_TRUE(names_identity(token->resource, "localhost", "dev1", "")) << resource;
  }
}

TEST(SasToken, LeadingZeroOfTheExpiryIsPartOfWhatIsSigned) {
  const auto key = as_bytes("key");
  const auto signature = percent_encode(to_base64(hmac_sha256(key, as_bytes("h\n17"))));
  const auto text = "SharedAccessSignature sr=h&sig=" + signature + "&se=017";
  EXPECT_FALSE(signature_matches(*parse_sas_token(text), key));
}

TEST(SasToken, EmptyKeyVerifiesNothing) {
  const auto text = make_sas_token("h", "d", "", {}, Timestamp{17'000'000});
  EXPECT_FALSE(signature_matches(*parse_sas_token(text), {}));
}

TEST(SasToken, ResourceNamesOneIdentityBySegments) {
  EXPECT_TRUE(names_identity("h/devices/d", "h", "d", ""));
  EXPECT_TRUE(names_identity("H/devices/d", "h", "d", "")) << "host names have no case";
  EXPECT_TRUE(names_identity("localhost%3A18883%2Fdevices%2Fd", "localhost:18883", "d", ""));
  EXPECT_TRUE(names_identity("h/devices/d/modules/m", "h", "d", "m"));
  EXPECT_TRUE(names_identity("h%2Fdevices%2Fa%2525b", "h", "a%25b", "")) << "an id may hold a percent sign";
  for (const auto* resource :
       {"h", "h/devices", "h/devices/", "h/devices/d1", "h/devices/D", "h/devices/d/", "i/devices/d",
        "h/devices/d/modules/m", "h/devices/d/messages/events", "/devices/d", "h%2", "xh/devices/d"}) {
    EXPECT_FALSE(names_identity(resource, "h", "d", "")) << resource;
  }
  EXPECT_FALSE(names_identity("h/devices/d", "h", "d", "m")) << "a device's token is no module's";
  EXPECT_FALSE(names_identity("/devices/d", "", "d", ""));
}

}  // namespace
}  // namespace picket::hub
