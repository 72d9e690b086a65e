/** SHA-256 in both ways against published vectors and each other, and HMAC on top of it. */
#include <string>

#include "check.h"
#include "exact.h"
#include "random.h"
#include "native/cpu-features.h"
#include "native/sha256.h"
#include "revocation/native/card-hasher.h"

using namespace vigie;
using Blocks = void (*)(Sha256State&, const std::uint8_t*, std::size_t) noexcept;

namespace {

std::string hex(const std::uint8_t* bytes, std::size_t length) {
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

/** The whole message padded at once (FIPS 180-4 section 5.1.1), all blocks in one call. */
std::string digest(Blocks blocks, const std::string& message) {
  std::string padded = message + '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(message.size() * 8 >> shift);
  const testing::Exact exact(padded);
  Sha256State state = sha256_initial();
  blocks(state, exact.data(), exact.size() / kSha256BlockBytes);
  std::uint8_t out[kSha256Bytes];
  sha256_store(state, out, 8);
  return hex(out, sizeof out);
}

void published(Blocks blocks, const char* name) {
  CHECK(digest(blocks, "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "%s", name);
  CHECK(digest(blocks, "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "%s", name);
  CHECK(digest(blocks, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "%s", name);
  CHECK(digest(blocks, std::string(1'000'000, 'a')) ==
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", "%s", name);
}

void both_ways_agree() {
  testing::Random random(5);
  for (std::size_t length = 0; length <= 300; ++length) {
    const auto bytes = random.bytes(length);
    const std::string message(bytes.begin(), bytes.end());
    CHECK(digest(sha256_blocks_portable, message) == digest(sha256_blocks, message), "%zu bytes", length);
    if (!cpu_has_sha()) continue;
    CHECK(digest(sha256_blocks_portable, message) == digest(sha256_blocks_extended, message), "%zu bytes", length);
  }
}

std::string text_of(const std::string& text) {
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift);
  return out + text;
}

std::string from_hex(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

/** HMAC as RFC 2104 writes it, over the encoding that revocation/card-hash.ts describes. */
std::string by_definition(char domain, const std::string& key, const std::string& issuer,
                          const std::string& name) {
  std::string inner(64, '\x36'), outer(64, '\x5c');
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  const std::string message = domain + text_of(issuer) + text_of(name);
  return digest(sha256_blocks_portable, outer + from_hex(digest(sha256_blocks_portable, inner + message))).substr(0, 32);
}

void hashes_of_cards() {
  testing::Random random(6);
  const auto string_of = [&](std::size_t length) {
    const auto bytes = random.bytes(length);
    return std::string(bytes.begin(), bytes.end());
  };
  for (std::size_t length = 0; length <= 300; ++length) {
    const std::string key = string_of(length % 65);
    const std::string issuer = string_of(random.below(80)), name = string_of(length);
    const testing::Exact exact_key(key), exact_issuer(issuer), exact_name(name), out(kCardHashBytes);
    const CardHasher hasher(exact_key.data(), exact_key.size());
    const Text issuers[2] = {{exact_issuer.data(), exact_issuer.size()}, {exact_name.data(), exact_name.size()}};
    const Text names[2] = {issuers[1], issuers[0]};
    for (const HashDomain domain : {HashDomain::kCard, HashDomain::kHolder}) {
      const char byte = static_cast<char>(domain);
      const testing::Exact both(2 * kCardHashBytes);
      hasher.hash(domain, issuers[0], names[0], out.data());
      hasher.hash_two(domain, issuers, names, both.data());
      CHECK(hex(out.data(), out.size()) == by_definition(byte, key, issuer, name), "a name of %zu bytes", length);
      CHECK(hex(both.data(), both.size()) ==
                by_definition(byte, key, issuer, name) + by_definition(byte, key, name, issuer),
            "two, one of %zu bytes", length);
    }
  }
}

}  // namespace

int main() {
  published(sha256_blocks_portable, "portable");
  published(sha256_blocks, "the one in use");
  if (cpu_has_sha()) published(sha256_blocks_extended, "SHA instructions");
  else std::printf("no SHA instructions here: their way is not tested\n");
  both_ways_agree();
  hashes_of_cards();
  return finish("card hash");
}
