/** The signature kernel as JavaScript sees it: a batch in flat arrays, verified in the calling thread. */

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <new>

#include "addon-arguments.h"
#include "addon-signatures.h"
#include "signature/native/kernel.h"
#include "signature/native/key-store.h"

namespace vigie::addon {
namespace {

/** Checks handed to the kernel at once: enough to share an inversion widely, few enough for the stack (20 KB). */
constexpr std::size_t kChunk = 512;

/** The batch's arrays, their lengths checked against the number of checks; see addon.ts for the layout. */
struct Batch {
  Bytes public_keys;
  Words key_of;
  Bytes signatures;
  Bytes messages;
  /** Where each message begins; empty when each begins where the one before ends. */
  Words message_starts;
  bool has_starts = false;
  Words message_ends;
  Bytes verdicts;
  std::size_t count;
};

/**
 * Arguments: implementation, publicKeys, keyOf, signatures, messages, messageEnds, count, verdicts, usePrepared; and
 * messageStarts last, where messages do not lie one behind the other.
 */
constexpr std::size_t kVerifyArguments = 9;
constexpr std::size_t kVerifySpansArguments = kVerifyArguments + 1;

bool read_batch(napi_env env, const napi_value* arguments, Batch& batch) {
  std::uint32_t count = 0;
  if (!read_bytes(env, arguments[1], "publicKeys", batch.public_keys) ||
      !read_words(env, arguments[2], "keyOf", batch.key_of) ||
      !read_bytes(env, arguments[3], "signatures", batch.signatures) ||
      !read_bytes(env, arguments[4], "messages", batch.messages) ||
      !read_words(env, arguments[5], "messageEnds", batch.message_ends) ||
      !read_count(env, arguments[6], "count", count) ||
      !read_bytes(env, arguments[7], "verdicts", batch.verdicts)) {
    return false;
  }
  batch.count = count;
  if (batch.has_starts && !read_words(env, arguments[kVerifyArguments], "messageStarts", batch.message_starts)) {
    return false;
  }
  if ((batch.has_starts && batch.message_starts.length < batch.count) || batch.key_of.length < batch.count || batch.message_ends.length < batch.count ||
      batch.signatures.length / 64 < batch.count || batch.verdicts.length < batch.count) {
    return refuse(env, "an array is shorter than the count of checks asks for");
  }
  return true;
}

/**
 * Another thread may write to shared memory while it is read: what is in it is copied, each part once, and judged
 * from the copy.
 */
bool unshare(napi_env env, Batch& batch, SharedCopies& copies) {
  return copies.take(env, batch.public_keys, batch.public_keys.length) &&
         copies.take(env, batch.key_of, batch.count) && copies.take(env, batch.signatures, batch.count * 64) &&
         copies.take(env, batch.message_ends, batch.count) &&
         copies.take(env, batch.message_starts, batch.has_starts ? batch.count : 0) &&
         copies.take(env, batch.messages, batch.messages.length);
}

/** The verdicts of a batch until all are known: an array in JavaScript's hands may overlap another of the call. */
class Scratch {
 public:
  explicit Scratch(std::size_t count)
      : large_(count > kChunk ? new (std::nothrow) std::uint8_t[count] : nullptr), fits_(count <= kChunk) {}

  /** Null without memory. */
  std::uint8_t* verdicts() { return fits_ ? small_ : large_.get(); }

 private:
  std::uint8_t small_[kChunk];
  std::unique_ptr<std::uint8_t[]> large_;
  bool fits_;
};

/** The store in which keys are looked for; null to look for none. */
using Store = const KeyStore*;

/**
 * Judges the batch into `verdicts`, which overlaps nothing. Each index and each end is read once and held against
 * its array before it is used. False, and thrown, when one is out of bounds; `known` counts the checks that found
 * their key prepared.
 */
bool judge(napi_env env, Implementation implementation, const Batch& batch, Store store, std::uint8_t* verdicts,
           std::size_t& known) {
  const KeySnapshot prepared_keys = store != nullptr ? store->snapshot() : nullptr;
  const std::uint64_t now = store != nullptr ? coarse_now() : 0;
  // An empty array may have no address at all, and a check wants one.
  static const std::uint8_t kNothing = 0;
  const std::uint8_t* const messages = batch.messages.length == 0 ? &kNothing : batch.messages.data;
  const std::size_t keys = batch.public_keys.length / 32;

  Check checks[kChunk];
  std::size_t message_start = 0;
  std::uint32_t last_key = std::numeric_limits<std::uint32_t>::max();
  const PreparedKey* last_prepared = nullptr;
  for (std::size_t begin = 0; begin < batch.count; begin += kChunk) {
    const std::size_t size = std::min(kChunk, batch.count - begin);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t key = batch.key_of.data[begin + i];
      const std::size_t message_end = batch.message_ends.data[begin + i];
      if (batch.has_starts) message_start = batch.message_starts.data[begin + i];
      if (key >= keys) return refuse(env, "keyOf names a key that publicKeys does not hold");
      if (message_end < message_start || message_end > batch.messages.length) {
        return refuse(env, "messageEnds must ascend, and end within messages");
      }
      const std::uint8_t* const public_key = batch.public_keys.data + std::size_t{32} * key;
      if (key != last_key) {
        last_key = key;
        last_prepared = store != nullptr ? find_key(*prepared_keys, public_key, now) : nullptr;
      }
      known += last_prepared != nullptr;
      checks[i] = {last_prepared, public_key, batch.signatures.data + 64 * (begin + i), messages + message_start,
                   message_end - message_start};
      message_start = message_end;
    }
    verify_batch(implementation, checks, size, verdicts + begin);
  }
  return true;
}

/** Asked of the processor once: CPUID leaves a virtual machine, which takes longer than a small batch. */
bool runs_here(std::uint32_t implementation) {
  static const bool runs[] = {supported(Implementation::kPortable), supported(Implementation::kIfma)};
  return implementation < std::size(runs) && runs[implementation];
}

napi_value verify_with(napi_env env, napi_callback_info info, const KeyStore& store, bool has_starts) {
  napi_value arguments[kVerifySpansArguments];
  std::uint32_t implementation = 0;
  bool use_prepared = false;
  Batch batch;
  batch.has_starts = has_starts;
  if (!read_arguments(env, info, arguments, has_starts ? kVerifySpansArguments : kVerifyArguments) ||
      !read_count(env, arguments[0], "implementation", implementation) || !read_batch(env, arguments, batch) ||
      !read_flag(env, arguments[8], "usePrepared", use_prepared)) {
    return nullptr;
  }
  if (!runs_here(implementation)) {
    refuse(env, "this machine does not run that implementation");
    return nullptr;
  }
  SharedCopies copies;
  if (!unshare(env, batch, copies)) return nullptr;
  Scratch scratch(batch.count);
  std::uint8_t* const verdicts = scratch.verdicts();
  if (verdicts == nullptr) {
    refuse(env, "no memory for so many verdicts");
    return nullptr;
  }
  std::size_t known = 0;
  if (!judge(env, static_cast<Implementation>(implementation), batch, use_prepared ? &store : nullptr, verdicts,
             known)) {
    return nullptr;
  }
  if (batch.count > 0) std::memcpy(batch.verdicts.data, verdicts, batch.count);
  return number(env, static_cast<double>(known));
}

}  // namespace

napi_value verify(napi_env env, napi_callback_info info) {
  return verify_with(env, info, KeyStore::instance(), false);
}

napi_value verify_spans(napi_env env, napi_callback_info info) {
  return verify_with(env, info, KeyStore::instance(), true);
}

napi_value verify_self_test(napi_env env, napi_callback_info info) {
  return verify_with(env, info, KeyStore::for_self_test(), false);
}

napi_value implementations(napi_env env, napi_callback_info) {
  napi_value list = nullptr;
  napi_create_array(env, &list);
  std::uint32_t next = 0;
  for (const Implementation each : {Implementation::kIfma, Implementation::kPortable}) {
    if (supported(each)) napi_set_element(env, list, next++, number(env, static_cast<double>(each)));
  }
  return list;
}

}  // namespace vigie::addon
