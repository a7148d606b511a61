// Texts of templates: what a file says of them, and no more.
#include "base/server/template_text.h"

#include <map>

#include <gtest/gtest.h>

namespace picket {
namespace {

class TemplateTextTest : public testing::Test {
 protected:
  /// With "..." behind it where a part is left out; "unreadable".
  std::string text(std::string_view from) const {
    const auto out = template_text(from, [this](TemplateName kind, std::string_view name, std::string_view member) {
      const auto found = said_.find((kind == TemplateName::parameter ? "p:" : "v:") + std::string(name) +
                                    (member.empty() ? "" : ".") + std::string(member));
      return found == said_.end() ? std::nullopt : std::optional(found->second);
    });
    return out ? out->text + (out->complete ? "" : "...") : "unreadable";
  }
  std::map<std::string, std::string> said_{{"p:name", "Plant"},
                                           {"p:now", "[utcNow('g')]"},
                                           {"v:id", "7"},
                                           {"v:_id", "[variables('id')]"},
                                           {"v:rule.query", "T | take 1"},
                                           {"v:loop", "[variables('loop')]"},
                                           {"v:many", "[concat(variables('_many'), variables('_many'))]"},
                                           {"v:_many", "[concat(variables('many'), variables('many'))]"}};
};

TEST_F(TemplateTextTest, PlainTextsAreThemselves) {
  for (const char* plain : {"", "Plant", "a [b] c", "['Table name'] | take 1", "[half", "it's"}) EXPECT_EQ(text(plain), plain);
  EXPECT_EQ(text("[[not one]"), "[not one]");
}

TEST_F(TemplateTextTest, ExpressionsAreWhatTheFileSays) {
  EXPECT_EQ(text("[parameters('name')]"), "Plant");
  EXPECT_EQ(text("[ concat( parameters('name') , ' - ' , variables('_id') ) ]"), "Plant - 7");
  EXPECT_EQ(text("[variables('rule').query]"), "T | take 1");
  EXPECT_EQ(text("[variables('rule')['query']]"), "T | take 1");
  EXPECT_EQ(text("[format('{0}-{1}-{2}-{x}', parameters('name'), 12)]"), "Plant-12-{2}-{x}");
  EXPECT_EQ(text("[toUpper(trim(concat(' it''s ', string(true))))]"), "IT'S TRUE");
}

TEST_F(TemplateTextTest, WhatOnlyADeploymentKnowsIsLeftOutAndTold) {
  EXPECT_EQ(text("[concat(parameters('name'), ' - ', parameters('now'))]"), "Plant - ...");
  EXPECT_EQ(text("[resourceGroup().location]"), "...");
  EXPECT_EQ(text("[parameters('other')]"), "...");
  EXPECT_EQ(text("[variables('rule').query.deeper]"), "...");
  EXPECT_EQ(text("[split(parameters('name'), 'a')[0]]"), "...");
}

TEST_F(TemplateTextTest, NonsenseIsUnreadableAndLoopsEnd) {
  for (const char* nonsense : {"[]", "[concat(]", "[concat('a']", "['open]", "[a b]", "[concat('a',)]", "[variables('id').]", "[1 2]"})
    EXPECT_EQ(text(nonsense), "unreadable") << nonsense;
  EXPECT_EQ(text("[variables('loop')]"), "unreadable");
  EXPECT_EQ(text("[variables('many')]"), "unreadable");
  std::string deep = "'x'";
  for (int i = 0; i < 40; ++i) deep = "concat(" + deep + ")";
  EXPECT_EQ(text("[" + deep + "]"), "unreadable");
}

}  // namespace
}  // namespace picket
