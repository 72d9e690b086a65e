#include "card-hasher.h"

#include <cstring>

namespace vigie {
namespace {

/** As in `card-hash.ts`: what is hashed is a card, and its texts are UTF-8. */
constexpr std::uint8_t kDomainCard = 1;
constexpr std::uint8_t kTagUtf8 = 0;

Sha256State state_after(const std::uint8_t* key, std::size_t length, std::uint8_t pad) {
  std::uint8_t block[kSha256BlockBytes] = {};
  if (length > 0) std::memcpy(block, key, length);
  for (auto& byte : block) byte ^= pad;
  Sha256State state = sha256_initial();
  sha256_blocks(state, block, 1);
  return state;
}

/** Feeds a message of any length into a state block by block, and ends it (FIPS 180-4 section 5.1.1). */
class Message {
 public:
  /** `before`: bytes that the state has taken already. */
  Message(const Sha256State& state, std::size_t before) : state_(state), total_(before) {}

  void byte(std::uint8_t value) { bytes(&value, 1); }

  void bytes(const std::uint8_t* data, std::size_t length) {
    total_ += length;
    while (length > 0) {
      const std::size_t size = length < kSha256BlockBytes - used_ ? length : kSha256BlockBytes - used_;
      std::memcpy(block_ + used_, data, size);
      used_ += size;
      data += size;
      length -= size;
      if (used_ == kSha256BlockBytes) take();
    }
  }

  void text(Text text) {
    const auto length = static_cast<std::uint32_t>(text.length);
    const std::uint8_t head[5] = {kTagUtf8, static_cast<std::uint8_t>(length >> 24),
                                  static_cast<std::uint8_t>(length >> 16), static_cast<std::uint8_t>(length >> 8),
                                  static_cast<std::uint8_t>(length)};
    bytes(head, sizeof head);
    bytes(text.bytes, text.length);
  }

  const Sha256State& end() {
    block_[used_++] = 0x80;
    if (used_ > kSha256BlockBytes - 8) {
      std::memset(block_ + used_, 0, kSha256BlockBytes - used_);
      take();
    }
    std::memset(block_ + used_, 0, kSha256BlockBytes - 8 - used_);
    const std::uint64_t bits = __builtin_bswap64(static_cast<std::uint64_t>(total_) * 8);
    std::memcpy(block_ + kSha256BlockBytes - 8, &bits, sizeof bits);
    take();
    return state_;
  }

 private:
  void take() {
    sha256_blocks(state_, block_, 1);
    used_ = 0;
  }

  Sha256State state_;
  std::size_t total_;
  std::size_t used_ = 0;
  std::uint8_t block_[kSha256BlockBytes];
};

}  // namespace

CardHasher::CardHasher(const std::uint8_t* key, std::size_t length) noexcept
    : inner_(state_after(key, length, 0x36)), outer_(state_after(key, length, 0x5c)) {}

void CardHasher::hash(Text issuer, Text jti, std::uint8_t hash[kCardHashBytes]) const noexcept {
  Message inner(inner_, kSha256BlockBytes);
  inner.byte(kDomainCard);
  inner.text(issuer);
  inner.text(jti);
  std::uint8_t digest[kSha256Bytes];
  sha256_store(inner.end(), digest, kSha256Bytes / 4);
  Message outer(outer_, kSha256BlockBytes);
  outer.bytes(digest, sizeof digest);
  sha256_store(outer.end(), hash, kCardHashBytes / 4);
}

}  // namespace vigie
