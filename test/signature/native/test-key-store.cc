/**
 * The store of prepared keys under threads that register, evict, clear and verify at once. Under the sanitisers
 * (`run.mjs sanitised threads --only=key-store`) it also shows that no table is freed while it is read.
 */
#include "key-store.h"

#include <array>
#include <thread>
#include <vector>

#include "check.h"

using namespace vigie;

namespace {

constexpr int kBits = 4;
constexpr std::size_t kKeys = 12;

/** Half of such encodings are points; the others are prepared as keys that do not decode. */
std::vector<KeyBytes> some_keys() {
  std::vector<KeyBytes> keys(kKeys);
  for (std::size_t i = 0; i < kKeys; i++) keys[i][0] = static_cast<std::uint8_t>(i + 2);
  return keys;
}

std::uint32_t draw(std::uint32_t& state, std::size_t below) {
  state = state * 1664525u + 1013904223u;
  return static_cast<std::uint32_t>((state >> 16) % below);
}

void register_keys(const std::vector<KeyBytes>& keys, std::size_t room, std::uint32_t seed) {
  KeyStore& store = KeyStore::instance();
  for (int i = 0; i < 150; i++) {
    const KeyBytes& key = keys[draw(seed, kKeys)];
    const int bits = kBits + static_cast<int>(draw(seed, 2));
    CHECK(store.prepare(key, bits, room) == KeyStore::Outcome::kPrepared, "round %d", i);
    CHECK(store.stats().bytes <= room, "round %d", i);
  }
}

/** The signature is none, by any key: what is looked for is a read of freed memory, or a verdict that differs. */
void verify(const std::vector<KeyBytes>& keys, std::atomic<int>& known, std::uint32_t seed) {
  constexpr std::size_t kBatch = 9;
  const std::array<std::uint8_t, 64> signature{3, 1, 4, 1, 5};
  for (int i = 0; i < 2000; i++) {
    const KeySnapshot snapshot = KeyStore::instance().snapshot();
    Check checks[kBatch];
    std::uint8_t verdicts[kBatch];
    for (Check& check : checks) {
      const KeyBytes& key = keys[draw(seed, kKeys)];
      check = {find_key(*snapshot, key.data(), coarse_now()), key.data(), signature.data(), key.data(), 32};
      known += check.key != nullptr;
      CHECK(check.key == nullptr || std::memcmp(check.key->public_key, key.data(), 32) == 0, "round %d", i);
    }
    verify_batch(Implementation::kPortable, checks, kBatch, verdicts);
    for (const std::uint8_t verdict : verdicts) CHECK(verdict == 0, "round %d", i);
  }
}

void race() {
  const std::vector<KeyBytes> keys = some_keys();
  const std::size_t room = 5 * KeyStore::bytes_of(kBits + 1);
  std::atomic<int> known{0};
  std::vector<std::thread> threads;
  for (std::uint32_t seed = 1; seed <= 3; seed++) {
    threads.emplace_back([&, seed] { register_keys(keys, room, seed); });
    threads.emplace_back([&, seed] { verify(keys, known, seed + 100); });
  }
  threads.emplace_back([] {
    for (int i = 0; i < 20; i++) {
      KeyStore::instance().clear();
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  CHECK(KeyStore::instance().stats().evictions > 0, "nothing was evicted");
}

void bounds() {
  KeyStore& store = KeyStore::instance();
  store.clear();
  const std::vector<KeyBytes> keys = some_keys();
  const std::size_t one = KeyStore::bytes_of(kBits);
  CHECK(store.prepare(keys[0], kBits, one - 1) == KeyStore::Outcome::kTooLarge, "a byte short");
  CHECK(store.stats().keys == 0, "kept though it is too large");
  const std::uint64_t built = store.stats().built;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back([&] { store.prepare(keys[0], kBits, one); });
  for (std::thread& thread : threads) thread.join();
  CHECK(store.stats().built == built + 1, "built more than once");
  CHECK(store.stats().bytes == one && store.stats().keys == 1, "not as reckoned");
  const KeySnapshot held = store.snapshot();
  store.prepare(keys[1], kBits, one);
  CHECK(store.snapshot()->count(keys[0]) == 0, "the oldest key stayed");
  CHECK(held->count(keys[0]) == 1, "a snapshot lost a key");
}

}  // namespace

int main() {
  CHECK(initialise(), "no memory");
  race();
  bounds();
  return finish("test-key-store");
}
