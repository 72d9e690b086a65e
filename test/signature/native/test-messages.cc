/** Every message length, with memory that must not be touched right before and right after what is given. */
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "cases.h"
#include "check.h"
#include "each-implementation.h"

using namespace reference;

namespace {

/** Pages between two that nobody may read. */
class Guarded {
 public:
  explicit Guarded(std::size_t pages)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), bytes_(pages * page_) {
    void* all = mmap(nullptr, bytes_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    start_ = static_cast<std::uint8_t*>(all) + page_;
    mprotect(start_, bytes_, PROT_READ | PROT_WRITE);
  }
  ~Guarded() { munmap(start_ - page_, bytes_ + 2 * page_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  std::uint8_t* at_start(const void* data, std::size_t size) { return copy(start_, data, size); }
  std::uint8_t* at_end(const void* data, std::size_t size) { return copy(start_ + bytes_ - size, data, size); }

 private:
  static std::uint8_t* copy(std::uint8_t* to, const void* data, std::size_t size) {
    if (size != 0) std::memcpy(to, data, size);
    return to;
  }

  std::size_t page_, bytes_;
  std::uint8_t* start_;
};

/** All three inputs against the far edge, then all three against the near one; a valid one and a spoiled one. */
void at_both_edges(const Triple& triple, bool verdict, const vigie::PreparedKey* prepared) {
  static Guarded message(2), signature(1), key(1);
  for (const bool end : {true, false}) {
    const auto put = [end](Guarded& memory, const void* data, std::size_t size) {
      return end ? memory.at_end(data, size) : memory.at_start(data, size);
    };
    const vigie::Check check = {prepared, put(key, triple.key.data(), 32), put(signature, triple.signature.data(), 64),
                                put(message, triple.message.data(), triple.message.size()), triple.message.size()};
    for_each_implementation([&](vigie::Implementation implementation) {
      // Alone, and in lanes of eight with the same memory.
      const vigie::Check checks[9] = {check, check, check, check, check, check, check, check, check};
      for (const std::size_t count : {1, 9}) {
        std::uint8_t verdicts[9] = {};
        vigie::verify_batch(implementation, checks, count, verdicts);
        for (std::size_t i = 0; i < count; i++) {
          CHECK(verdicts[i] == (verdict ? 1 : 0), "%s, %zu bytes, place %zu", name_of(implementation),
                triple.message.size(), i);
        }
      }
    });
  }
}

}  // namespace

int main() {
  if (!vigie::initialise()) return 1;
  Random random(64);
  const Number secret = random.scalar();
  const auto public_key = encode(multiply(secret, base()));
  const auto prepared = vigie::prepare_key(public_key.data(), 6);
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 300; length++) lengths.push_back(length);
  // Around each edge of a hash block, and where the length's 16 bytes no longer fit, up to two pages.
  for (std::size_t block = 3; block * 128 - 64 <= 8000; block += block < 8 ? 1 : 11) {
    for (const std::size_t away : {-18, -17, -16, -1, 0, 1}) lengths.push_back(block * 128 - 64 + away);
  }
  for (const std::size_t length : lengths) {
    const Triple triple = sign(secret, random.scalar(), random.bytes(length));
    CHECK(cases::oracle(triple), "%zu bytes", length);
    const Triple spoiled = cases::spoiled(triple, static_cast<unsigned>(random.next() % 256) & ~3u);
    for (const vigie::PreparedKey* key : {static_cast<const vigie::PreparedKey*>(nullptr),
                                          static_cast<const vigie::PreparedKey*>(prepared.get())}) {
      at_both_edges(triple, true, key);
      at_both_edges(spoiled, false, key);
    }
  }
  return finish("test-messages");
}
