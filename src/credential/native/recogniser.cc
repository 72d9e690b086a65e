#include "recogniser.h"

#include <cstring>

namespace vigie {
namespace {

/**
 * Enough to spread the texts of a trust list over a table; nobody else's are ever put there, so nobody can choose
 * them to collide.
 */
std::uint64_t hash_of(const std::uint8_t* text, std::size_t length, std::uint64_t seed) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = (seed + length) * kOdd;
  while (length > 0) {
    const std::size_t size = length < 8 ? length : 8;
    std::uint64_t word = 0;
    std::memcpy(&word, text, size);
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 32;
    text += size;
    length -= size;
  }
  return hash;
}

bool same_text(const std::string& known, const std::uint8_t* text, std::size_t length) {
  return known.size() == length && std::memcmp(known.data(), text, length) == 0;
}

std::string string_of(const std::uint8_t* text, std::size_t length) {
  return std::string(reinterpret_cast<const char*>(text), length);
}

}  // namespace

std::uint32_t Recogniser::header(const std::uint8_t* text, std::size_t length) const noexcept {
  return header_index_.find(hash_of(text, length, 0),
                            [&](std::uint32_t number) { return same_text(headers_[number], text, length); });
}

std::uint32_t Recogniser::pair(std::uint32_t header, const std::uint8_t* issuer, std::size_t length) const noexcept {
  return pair_index_.find(hash_of(issuer, length, header + 1), [&](std::uint32_t number) {
    const Pair& known = pairs_[number];
    return known.header == header && same_text(known.issuer, issuer, length);
  });
}

std::uint32_t Recogniser::add(const std::uint8_t* header, std::size_t header_length, const std::uint8_t* issuer,
                              std::size_t issuer_length) {
  if (header_length > kMaxTextBytes || issuer_length > kMaxTextBytes) return kUnknown;
  std::uint32_t head = this->header(header, header_length);
  const std::uint32_t known = head == kUnknown ? kUnknown : pair(head, issuer, issuer_length);
  if (known != kUnknown || pairs_.size() == kMaxPairs) return known;
  if (head == kUnknown) {
    head = static_cast<std::uint32_t>(headers_.size());
    headers_.push_back(string_of(header, header_length));
    header_index_.insert(hash_of(header, header_length, 0), head);
  }
  const auto number = static_cast<std::uint32_t>(pairs_.size());
  pairs_.push_back({head, string_of(issuer, issuer_length)});
  pair_index_.insert(hash_of(issuer, issuer_length, head + 1), number);
  return number;
}

}  // namespace vigie
