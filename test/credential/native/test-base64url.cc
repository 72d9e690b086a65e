/** The decoder of base64url against an encoder: every length, every character in every place, every stray bit. */
#include "credential/native/base64url.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cctype>

#include "check.h"
#include "exact.h"
#include "native/cpu-features.h"
#include "random.h"

using testing::Exact;

namespace {

constexpr std::size_t kMaxBytes = 130;

using Decoder = bool (*)(const std::uint8_t*, std::size_t, std::uint8_t*) noexcept;
Decoder decode = nullptr;

/** Memory behind which nothing may be touched, by whatever instruction: the sanitiser does not see all of those. */
class Guarded {
 public:
  Guarded() {
    void* const pages = mmap(nullptr, kSize + page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(static_cast<char*>(pages) + kSize, page(), PROT_NONE) != 0) std::abort();
    end_ = static_cast<std::uint8_t*>(pages) + kSize;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(end_ - kSize, kSize + page()); }

  /** So many bytes, the last of which is the last that there is. */
  std::uint8_t* last(std::size_t size) const { return end_ - size; }

 private:
  static constexpr std::size_t kSize = std::size_t{1} << 16;
  static std::size_t page() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }
  std::uint8_t* end_;
};

bool decodes(const std::string& text, std::string& bytes) {
  static const Guarded in, room;
  const Exact exact(text);
  // Room for what the contract asks, to the byte.
  const std::size_t size = vigie::base64url_bytes(text.size()) + 1;
  if (!text.empty()) std::memcpy(in.last(text.size()), text.data(), text.size());
  const bool is_guarded_good = decode(in.last(text.size()), text.size(), room.last(size));
  const Exact out(size);
  const bool is_good = decode(exact.data(), exact.size(), out.data());
  bytes = out.text().substr(0, vigie::base64url_bytes(text.size()));
  CHECK(is_good == is_guarded_good, "%s", text.c_str());
  CHECK(!is_good || std::memcmp(out.data(), room.last(size), size - 1) == 0, "%s", text.c_str());
  return is_good;
}

void every_length() {
  testing::Random random(1);
  std::string bytes;
  for (std::size_t length = 0; length <= kMaxBytes; ++length) {
    const auto content = random.bytes(length);
    const std::string text = testing::to_base64url(content.data(), length);
    CHECK(vigie::base64url_bytes(text.size()) == length, "%zu bytes", length);
    CHECK(decodes(text, bytes) && bytes == std::string(content.begin(), content.end()), "%zu bytes", length);
    CHECK(!decodes(text + "=", bytes), "padding behind %zu bytes", length);
  }
  for (std::size_t length = 1; length <= kMaxBytes; length += 4) {
    CHECK(!decodes(std::string(length, 'A'), bytes), "%zu characters are no bytes", length);
  }
}

/** 64 bytes, as a signature has them, need no byte more than they are. */
void signatures_fit() {
  testing::Random random(2);
  const auto content = random.bytes(64);
  const Exact text(testing::to_base64url(content.data(), 64));
  const Exact out(64);
  CHECK(decode(text.data(), text.size(), out.data()), "a signature");
  CHECK(std::memcmp(out.data(), content.data(), 64) == 0, "a signature");
}

/** What decodes is what encodes to the same text again, and nothing else. */
void every_character_in_every_place() {
  testing::Random random(3);
  for (std::size_t length : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 47u, 48u, 49u, 97u}) {
    const auto content = random.bytes(length);
    const std::string good = testing::to_base64url(content.data(), length);
    for (std::size_t place = 0; place < good.size(); ++place) {
      for (int character = 0; character < 256; ++character) {
        std::string text = good;
        text[place] = static_cast<char>(character);
        std::string bytes;
        const bool is_good = decodes(text, bytes);
        const bool is_letter = std::strchr("-_", character) != nullptr ? character != 0
                                                                        : (character < 128 && std::isalnum(character));
        CHECK(!is_good || testing::to_base64url(bytes) == text, "byte %d in place %zu of %zu", character, place, length);
        CHECK(is_letter || !is_good, "byte %d in place %zu of %zu", character, place, length);
        const bool is_inner = place + 1 < good.size() || good.size() % 4 == 0;
        CHECK(!(is_letter && is_inner) || is_good, "byte %d in place %zu of %zu", character, place, length);
      }
    }
  }
}

void stray_bits() {
  const char* const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  for (int value = 0; value < 64; ++value) {
    const char last = alphabet[value];
    CHECK(decodes(std::string("A") + last, bytes) == (value % 16 == 0), "A%c", last);
    CHECK(decodes(std::string("AA") + last, bytes) == (value % 4 == 0), "AA%c", last);
    CHECK(decodes(std::string("____A") + last, bytes) == (value % 16 == 0), "____A%c", last);
  }
}

}  // namespace

int main() {
  struct {
    const char* name;
    Decoder decode;
    bool runs_here;
  } const ways[] = {
      {"the one in use", vigie::decode_base64url, true},
      {"portable", vigie::decode_base64url_portable, true},
#if defined(__x86_64__)
      {"AVX-512 VBMI", vigie::decode_base64url_vbmi, vigie::cpu_has_avx512_vbmi()},
#endif
  };
  for (const auto& way : ways) {
    if (!way.runs_here) {
      std::printf("no %s here: that way is not tested\n", way.name);
      continue;
    }
    decode = way.decode;
    every_length();
    signatures_fit();
    every_character_in_every_place();
    stray_bits();
  }
  return finish("base64url");
}
