#include "card-hasher.h"

#include <cstring>

#include "native/hmac-key.h"

namespace vigie {
namespace {

/** As in `card-hash.ts`: the texts are UTF-8. */
constexpr std::uint8_t kTagUtf8 = 0;

/** Room for the message of a pair whose texts are no longer than is usual, padded; longer ones go another way. */
constexpr std::size_t kShortBlocks = 4;
constexpr std::size_t kShortBytes = kShortBlocks * kSha256BlockBytes;

/** Domain byte, and for each text its tag and length. */
std::size_t message_bytes(Text issuer, Text name) { return 1 + 5 + issuer.length + 5 + name.length; }

std::uint8_t* put_head(std::uint8_t* at, std::size_t length) {
  const auto short_length = static_cast<std::uint32_t>(length);
  at[0] = kTagUtf8;
  at[1] = static_cast<std::uint8_t>(short_length >> 24);
  at[2] = static_cast<std::uint8_t>(short_length >> 16);
  at[3] = static_cast<std::uint8_t>(short_length >> 8);
  at[4] = static_cast<std::uint8_t>(short_length);
  return at + 5;
}

std::uint8_t* put_text(std::uint8_t* at, Text text) {
  at = put_head(at, text.length);
  if (text.length > 0) std::memcpy(at, text.bytes, text.length);
  return at + text.length;
}

/** The message of a pair in a buffer of kShortBytes, padded; returns how many blocks it fills. */
std::size_t short_message(HashDomain domain, Text issuer, Text name, std::uint8_t* message) {
  message[0] = static_cast<std::uint8_t>(domain);
  const std::uint8_t* const end = put_text(put_text(message + 1, issuer), name);
  return sha256_pad(message, static_cast<std::size_t>(end - message), kSha256BlockBytes);
}

bool is_short(Text issuer, Text name) { return message_bytes(issuer, name) + kSha256PaddingBytes <= kShortBytes; }

/** Takes a message of any length piece by piece; for pairs with texts longer than is usual. */
class LongMessage {
 public:
  explicit LongMessage(const Sha256State& state) : state_(state) {}

  void bytes(const std::uint8_t* data, std::size_t length) {
    total_ += length;
    while (length > 0) {
      const std::size_t room = kSha256BlockBytes - used_;
      const std::size_t size = length < room ? length : room;
      std::memcpy(block_ + used_, data, size);
      used_ += size;
      data += size;
      length -= size;
      if (used_ < kSha256BlockBytes) continue;
      sha256_blocks(state_, block_, 1);
      used_ = 0;
    }
  }

  void text(Text text) {
    std::uint8_t head[5];
    put_head(head, text.length);
    bytes(head, sizeof head);
    bytes(text.bytes, text.length);
  }

  const Sha256State& end() {
    // The length is that of the whole message behind the key's block, not of what was left of it.
    sha256_end(state_, block_, used_, kSha256BlockBytes + total_ - used_);
    return state_;
  }

 private:
  Sha256State state_;
  std::size_t total_ = 0;
  std::size_t used_ = 0;
  std::uint8_t block_[kSha256BlockBytes];
};

}  // namespace

CardHasher::CardHasher(const std::uint8_t* key, std::size_t length) noexcept
    : inner_(hmac_state(key, length, kHmacInner)), outer_(hmac_state(key, length, kHmacOuter)) {}

void CardHasher::hash(HashDomain domain, Text issuer, Text name,
                      std::uint8_t hash[kCardHashBytes]) const noexcept {
  Sha256State inner = inner_;
  if (is_short(issuer, name)) {
    std::uint8_t message[kShortBytes];
    const std::size_t blocks = short_message(domain, issuer, name, message);
    sha256_blocks(inner, message, blocks);
  } else {
    LongMessage message(inner_);
    const auto first = static_cast<std::uint8_t>(domain);
    message.bytes(&first, 1);
    message.text(issuer);
    message.text(name);
    inner = message.end();
  }
  hmac_end(inner, outer_, hash, kCardHashBytes / 4);
}

void CardHasher::hash_two(HashDomain domain, const Text issuers[2], const Text names[2],
                          std::uint8_t hashes[2 * kCardHashBytes]) const noexcept {
  std::uint8_t messages[2][kShortBytes];
  std::size_t blocks[2] = {0, 1};
  if (is_short(issuers[0], names[0]) && is_short(issuers[1], names[1])) {
    for (int i = 0; i < 2; ++i) blocks[i] = short_message(domain, issuers[i], names[i], messages[i]);
  }
  if (blocks[0] != blocks[1]) {
    for (int i = 0; i < 2; ++i) hash(domain, issuers[i], names[i], hashes + kCardHashBytes * i);
    return;
  }
  const std::uint8_t* const at[2] = {messages[0], messages[1]};
  Sha256State inner[2] = {inner_, inner_};
  sha256_two(inner, at, blocks[0]);
  hmac_end_two(inner, outer_, hashes, kCardHashBytes / 4);
}

}  // namespace vigie
