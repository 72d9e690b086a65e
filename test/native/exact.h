/** Memory that ends where its content does: the address sanitiser sees a single byte too many, read or written. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace testing {

class Exact {
 public:
  explicit Exact(std::size_t size) : bytes_(new std::uint8_t[size]), size_(size) {}
  Exact(const void* content, std::size_t size) : Exact(size) {
    if (size > 0) std::memcpy(bytes_.get(), content, size);
  }
  explicit Exact(const std::string& content) : Exact(content.data(), content.size()) {}
  explicit Exact(const std::vector<std::uint8_t>& content) : Exact(content.data(), content.size()) {}

  std::uint8_t* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string text() const { return std::string(reinterpret_cast<const char*>(data()), size_); }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

/** As the decoder must have been given it: RFC 4648 section 5 without padding, written bit by bit. */
inline std::string to_base64url(const std::uint8_t* bytes, std::size_t length) {
  const char* const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t bit = 0; bit < 8 * length; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      value = value << 1 | (i < 8 * length ? bytes[i / 8] >> (7 - i % 8) & 1u : 0u);
    }
    text += alphabet[value];
  }
  return text;
}
inline std::string to_base64url(const std::string& bytes) {
  return to_base64url(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace testing
