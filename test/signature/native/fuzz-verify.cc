/**
 * A libFuzzer target: the input's bytes become a triple, and all implementations, with a known and an unknown key,
 * alone and among neighbours, must agree with each other and with libcrypto where it is linked in.
 *
 * The first byte chooses how the bytes are read: raw, or as changes to an honest signature, which get further.
 */
#include <cstdlib>
#include <cstring>

#include "cases.h"
#include "check.h"
#include "each-implementation.h"

using namespace reference;

namespace {

Triple triple_from(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Triple> honest = [] {
    std::vector<Triple> out = cases::rfc_8032();
    for (const auto& encoding : cases::low_order_encodings()) {
      Triple triple = out[0];
      triple.key = encoding;
      out.push_back(triple);
    }
    return out;
  }();
  const std::size_t mode = size == 0 ? 0 : data[0];
  Triple triple = honest[mode % honest.size()];
  if (size > 0) data++, size--;
  std::uint8_t head[96] = {};
  // An empty input may have no address.
  if (size > 0) std::memcpy(head, data, size < sizeof head ? size : sizeof head);
  for (std::size_t i = 0; i < sizeof head; i++) {
    std::uint8_t& byte = i < 32 ? triple.key[i] : triple.signature[i - 32];
    byte = (mode & 0x80) != 0 ? head[i] : byte ^ head[i];
  }
  if (size > sizeof head) triple.message.assign(data + sizeof head, data + size);
  return triple;
}

void agree(const Triple& triple, bool expected, const vigie::PreparedKey* key) {
  static const std::vector<Triple> neighbours = cases::rfc_8032();
  static const auto neighbour_key = vigie::prepare_key(neighbours[0].key.data(), 8);
  for_each_implementation([&](vigie::Implementation implementation) {
    vigie::Check checks[9];
    std::uint8_t verdicts[9];
    for (std::size_t i = 0; i < 9; i++) checks[i] = cases::check_of(neighbours[i % 2], i % 2 == 0 ? neighbour_key.get() : nullptr);
    const std::size_t place = triple.message.size() % 9;
    checks[place] = cases::check_of(triple, key);
    vigie::verify_batch(implementation, checks, 9, verdicts);
    for (std::size_t i = 0; i < 9; i++) {
      if (verdicts[i] != (i == place ? (expected ? 1 : 0) : 1)) std::abort();
    }
    vigie::verify_batch(implementation, checks + place, 1, verdicts);
    if (verdicts[0] != (expected ? 1 : 0)) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!vigie::initialise()) std::abort();
  const Triple triple = triple_from(data, size);
  const bool expected = cases::oracle(triple);
  if (check_failures != 0) std::abort();
  const auto key = vigie::prepare_key(triple.key.data(), vigie::kMinWindowBits + static_cast<int>(size % 2));
  agree(triple, expected, nullptr);
  agree(triple, expected, key.get());
  return 0;
}
