/** The functions; their contract stands in addon.ts. */
#include "addon-cards.h"

#include <new>

#include "addon-arguments.h"
#include "addon-fields.h"
#include "revocation/native/card-hasher.h"
#include "revocation/native/filter-view.h"

namespace vigie::addon {
namespace {

struct HeldHasher : CardHasher {
  static constexpr std::uint32_t kHandle = 0x48415348;
  using CardHasher::CardHasher;
};

/** Arguments: hasher, filterWords, bits, hashes, payloads, fields, items, count, cardHashes, answers, domain. */
struct Call {
  static constexpr std::size_t kArguments = 11;
  HeldHasher* hasher;
  Words filter;
  std::size_t bits;
  std::uint32_t hashes;
  Bytes payloads;
  Words fields;
  Words items;
  std::uint32_t count;
  Bytes card_hashes;
  Bytes answers;
  std::uint32_t domain;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_handle(env, arguments[0], "hasher", call.hasher) ||
      !read_words(env, arguments[1], "filterWords", call.filter) || !read_size(env, arguments[2], "bits", call.bits) ||
      !read_count(env, arguments[3], "hashes", call.hashes) ||
      !read_bytes(env, arguments[4], "payloads", call.payloads) ||
      !read_words(env, arguments[5], "fields", call.fields) || !read_words(env, arguments[6], "items", call.items) ||
      !read_count(env, arguments[7], "count", call.count) ||
      !read_bytes(env, arguments[8], "cardHashes", call.card_hashes) ||
      !read_bytes(env, arguments[9], "answers", call.answers) ||
      !read_count(env, arguments[10], "domain", call.domain)) {
    return false;
  }
  if (call.domain != static_cast<std::uint32_t>(HashDomain::kCard) &&
      call.domain != static_cast<std::uint32_t>(HashDomain::kHolder)) {
    return refuse(env, "domain is neither that of cards nor that of holders");
  }
  if (call.bits == 0 || call.bits % 512 != 0 || call.bits / 32 > call.filter.length) {
    return refuse(env, "the filter's words do not hold its bits");
  }
  if (call.items.length < call.count || call.card_hashes.length / kCardHashBytes < call.count ||
      call.answers.length < call.count) {
    return refuse(env, "an array is shorter than the count of cards asks for");
  }
  return true;
}

/** The text between two places of a row; false, and thrown, when it does not stand in the payloads. */
bool read_text(napi_env env, const Call& call, const std::uint32_t* row, Field start, Text& text) {
  const std::uint32_t begin = row[start];
  const std::uint32_t end = row[start + 1];
  if (begin > end || end > call.payloads.length) return refuse(env, "a claim must lie within the payloads");
  text = {call.payloads.data + begin, end - begin};
  return true;
}

}  // namespace

napi_value create_card_hasher(napi_env env, napi_callback_info info) { return make_keyed<HeldHasher>(env, info); }

napi_value look_up_cards(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  const FilterView filter(call.filter.data, call.bits, call.hashes);
  const std::size_t rows = call.fields.length / kFields;
  const auto domain = static_cast<HashDomain>(call.domain);
  const Field name_start = domain == HashDomain::kHolder ? kSubStart : kJtiStart;
  // All hashes first: by the time they are looked up, memory has brought the lines that the first of them need.
  for (std::uint32_t i = 0; i < call.count; i += 2) {
    const std::uint32_t together = call.count - i < 2 ? 1 : 2;
    Text issuers[2];
    Text names[2];
    for (std::uint32_t j = 0; j < together; ++j) {
      const std::uint32_t item = call.items.data[i + j];
      if (item >= rows) {
        refuse(env, "items names a row that fields does not hold");
        return nullptr;
      }
      const std::uint32_t* const row = call.fields.data + std::size_t{kFields} * item;
      if (!read_text(env, call, row, kIssStart, issuers[j]) || !read_text(env, call, row, name_start, names[j])) {
        return nullptr;
      }
    }
    std::uint8_t* const hashes = call.card_hashes.data + kCardHashBytes * i;
    if (together == 2) call.hasher->hash_two(domain, issuers, names, hashes);
    else call.hasher->hash(domain, issuers[0], names[0], hashes);
    for (std::uint32_t j = 0; j < together; ++j) filter.prefetch(hashes + kCardHashBytes * j);
  }
  std::uint32_t perhaps = 0;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    const bool might_be = filter.might_contain(call.card_hashes.data + kCardHashBytes * i);
    call.answers.data[i] = might_be;
    perhaps += might_be;
  }
  return number(env, perhaps);
}

}  // namespace vigie::addon
