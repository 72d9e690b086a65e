/**
 * The prepared keys of the whole process, shared by every thread: least recently used out first, bounded in bytes.
 *
 * Readers never wait for a builder: they take a snapshot, an immutable map, and hold it while they verify. A key
 * that is evicted meanwhile is freed with the last snapshot that holds it.
 *
 * Memory: a table that does not fit is refused (kNoMemory), and tables are nearly all there is. The map itself, some
 * hundred bytes a key, comes from the standard library's allocator, which without exceptions ends the process when
 * memory is out: as Node does when its own few bytes are not to be had.
 */
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "implementation.h"

namespace vigie {

using KeyBytes = std::array<std::uint8_t, 32>;

/** The keys are on the operator's trust list, so nobody chooses them to collide: any eight bytes are a fair hash. */
struct KeyBytesHash {
  std::size_t operator()(const KeyBytes& bytes) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    return static_cast<std::size_t>(word * 0x9e3779b97f4a7c15u);
  }
};

struct StoredKey {
  PreparedKeyPtr prepared;
  int window_bits;
  std::size_t bytes;
  /** Coarse time of the last use (see coarse_now); written by readers, hence atomic. */
  mutable std::atomic<std::uint64_t> last_used;
};

using KeyMap = std::unordered_map<KeyBytes, std::shared_ptr<const StoredKey>, KeyBytesHash>;
using KeySnapshot = std::shared_ptr<const KeyMap>;

struct KeyStoreStats {
  std::size_t keys;
  std::size_t bytes;
  std::uint64_t evictions;
  std::uint64_t built;
};

class KeyStore {
 public:
  /** The process's one store; never destroyed, since threads may outlive static destructors. */
  static KeyStore& instance();

  /** Another one, of the self-test's keys: they shall displace nobody's, and be there whatever the bound. */
  static KeyStore& for_self_test();

  KeySnapshot snapshot() const { return std::atomic_load_explicit(&current_, std::memory_order_acquire); }

  /** What a key of this window costs the store. */
  static std::size_t bytes_of(int window_bits) noexcept;

  enum class Outcome { kPrepared, kTooLarge, kNoMemory };

  /**
   * Prepares a key with this window, unless it is already, and makes room within `max_bytes` by evicting the keys
   * longest unused. Takes milliseconds: off any event loop. A key that another thread is building is waited for.
   */
  Outcome prepare(const KeyBytes& key, int window_bits, std::size_t max_bytes);

  /** Drops every key: readers keep what they hold. */
  void clear();

  KeyStoreStats stats() const;

 private:
  KeyStore();
  void publish(const KeyBytes& key, std::shared_ptr<const StoredKey> stored, std::size_t max_bytes);

  mutable std::mutex mutex_;
  std::condition_variable finished_;
  /** Keys under construction: nobody else begins one of them. */
  std::set<KeyBytes> building_;
  std::shared_ptr<const KeyMap> current_;
  std::size_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
  std::uint64_t built_ = 0;
};

/** Time in steps of an eighth of a second: coarse, so that busy threads seldom write a cell that others read. */
std::uint64_t coarse_now() noexcept;

/** The prepared form of the key, marked as used now; null when the snapshot has none. */
inline const PreparedKey* find_key(const KeyMap& keys, const std::uint8_t* public_key, std::uint64_t now) noexcept {
  KeyBytes bytes;
  std::memcpy(bytes.data(), public_key, bytes.size());
  const auto found = keys.find(bytes);
  if (found == keys.end()) return nullptr;
  const StoredKey& stored = *found->second;
  if (stored.last_used.load(std::memory_order_relaxed) < now) {
    stored.last_used.store(now, std::memory_order_relaxed);
  }
  return stored.prepared.get();
}

}  // namespace vigie
