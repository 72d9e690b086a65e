/** The store of prepared keys; its contract stands in the header. */
#include "key-store.h"

#include <chrono>
#include <new>

namespace vigie {

namespace {

/** 2^17 microseconds a step, an eighth of a second. */
constexpr int kCoarseShift = 17;

/** What the map, the entry and the sharing of it cost beside the table. Reckoned, and rounded up. */
constexpr std::size_t kEntryOverheadBytes = 512;

}  // namespace

std::uint64_t coarse_now() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) >>
         kCoarseShift;
}

KeyStore& KeyStore::instance() {
  static KeyStore* const store = new KeyStore;
  return *store;
}

KeyStore& KeyStore::for_self_test() {
  static KeyStore* const store = new KeyStore;
  return *store;
}

KeyStore::KeyStore() : current_(std::make_shared<const KeyMap>()) {}

std::size_t KeyStore::bytes_of(int window_bits) noexcept {
  return prepared_key_bytes(window_bits) + kEntryOverheadBytes;
}

KeyStore::Outcome KeyStore::prepare(const KeyBytes& key, int window_bits, std::size_t max_bytes) {
  const std::size_t bytes = bytes_of(window_bits);
  if (bytes > max_bytes) return Outcome::kTooLarge;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [&] { return building_.count(key) == 0; });
    const auto held = current_->find(key);
    if (held != current_->end() && held->second->window_bits == window_bits) {
      held->second->last_used.store(coarse_now() + 1, std::memory_order_relaxed);
      return Outcome::kPrepared;
    }
    building_.insert(key);
  }

  PreparedKeyPtr prepared = prepare_key(key.data(), window_bits);

  // Replaced maps, and with them evicted keys, are freed after the lock is: freeing megabytes takes a while.
  std::shared_ptr<const KeyMap> replaced;
  const bool made = prepared != nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    building_.erase(key);
    if (made) {
      replaced = current_;
      auto stored = std::make_shared<StoredKey>();
      stored->prepared = std::move(prepared);
      stored->window_bits = window_bits;
      stored->bytes = bytes;
      // One step ahead: of two keys as recent as one another, the one prepared last stays.
      stored->last_used.store(coarse_now() + 1, std::memory_order_relaxed);
      ++built_;
      publish(key, std::move(stored), max_bytes);
    }
  }
  finished_.notify_all();
  return made ? Outcome::kPrepared : Outcome::kNoMemory;
}

/** Replaces the map by one with the key and within the bound. Called under the lock. */
void KeyStore::publish(const KeyBytes& key, std::shared_ptr<const StoredKey> stored, std::size_t max_bytes) {
  auto next = std::make_shared<KeyMap>(*current_);
  const auto held = next->find(key);
  if (held != next->end()) {
    bytes_ -= held->second->bytes;
    next->erase(held);
  }
  while (bytes_ + stored->bytes > max_bytes && !next->empty()) {
    auto oldest = next->begin();
    for (auto at = next->begin(); at != next->end(); ++at) {
      if (at->second->last_used.load(std::memory_order_relaxed) <
          oldest->second->last_used.load(std::memory_order_relaxed)) {
        oldest = at;
      }
    }
    bytes_ -= oldest->second->bytes;
    next->erase(oldest);
    ++evictions_;
  }
  bytes_ += stored->bytes;
  next->emplace(key, std::move(stored));
  std::atomic_store_explicit(&current_, std::shared_ptr<const KeyMap>(std::move(next)), std::memory_order_release);
}

void KeyStore::clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  bytes_ = 0;
  std::atomic_store_explicit(&current_, std::make_shared<const KeyMap>(), std::memory_order_release);
}

KeyStoreStats KeyStore::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {current_->size(), bytes_, evictions_, built_};
}

}  // namespace vigie
