/** Arguments of the addon's functions, read with every type and bound checked; a wrong one throws in JavaScript. */
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace vigie::addon {

/** A typed array's elements; valid until control returns to JavaScript. */
template <typename Element>
struct View {
  Element* data = nullptr;
  std::size_t length = 0;
  /** In shared memory: another thread may write to it at any time. */
  bool shared = false;
};
using Bytes = View<std::uint8_t>;
using Words = View<std::uint32_t>;
using Doubles = View<double>;

/** Throws a RangeError. Always false, so that a reader can end with it. */
bool refuse(napi_env env, const char* why);
/** Throws a TypeError: `name` must be `what`. Always false. */
bool refuse_type(napi_env env, const char* name, const char* what);

/** Exactly `count` arguments; missing ones are undefined, which the readers refuse. */
bool read_arguments(napi_env env, napi_callback_info info, napi_value* arguments, std::size_t count);

/** A Uint8Array (a Buffer is one). */
bool read_bytes(napi_env env, napi_value value, const char* name, Bytes& bytes);
/** The same where nobody cares whether its memory is shared, as of bytes that are only written: `shared` stays false. */
bool read_room(napi_env env, napi_value value, const char* name, Bytes& room);
/** A Uint32Array. */
bool read_words(napi_env env, napi_value value, const char* name, Words& words);
/** A Float64Array. */
bool read_doubles(napi_env env, napi_value value, const char* name, Doubles& doubles);
/** A whole number from 0 to 2^32 - 1. */
bool read_count(napi_env env, napi_value value, const char* name, std::uint32_t& count);
/** A whole number from 0 to 2^53 - 1. */
bool read_size(napi_env env, napi_value value, const char* name, std::size_t& size);
bool read_flag(napi_env env, napi_value value, const char* name, bool& flag);

napi_value number(napi_env env, double value);

/**
 * Something native that JavaScript holds: destroyed when nothing there refers to it any more. `Thing::kHandle` tells
 * the kinds apart.
 */
template <typename Thing>
struct Handle {
  const std::uint32_t kind = Thing::kHandle;
  Thing thing;
};

template <typename Thing>
napi_value give_handle(napi_env env, Handle<Thing>* handle) {
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Handle<Thing>*>(data); };
  napi_value result = nullptr;
  if (napi_create_external(env, handle, destroy, nullptr, &result) != napi_ok) delete handle;
  return result;
}

/** Of a function with one argument: a handle on what is made of a key, of `Thing::kMaxKeyBytes` at most. */
template <typename Thing>
napi_value make_keyed(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Bytes key;
  if (!read_arguments(env, info, arguments, 1) || !read_bytes(env, arguments[0], "key", key)) return nullptr;
  if (key.length > Thing::kMaxKeyBytes) {
    refuse(env, "a key has 64 bytes at most");
    return nullptr;
  }
  auto* const handle = new (std::nothrow) Handle<Thing>{Thing::kHandle, Thing(key.data, key.length)};
  if (handle != nullptr) return give_handle(env, handle);
  refuse(env, "no memory for a hasher");
  return nullptr;
}

/** A handle of this kind. */
template <typename Thing>
bool read_handle(napi_env env, napi_value value, const char* name, Thing*& thing) {
  void* data = nullptr;
  // Every external that the addon gives out begins with its kind.
  if (napi_get_value_external(env, value, &data) != napi_ok || data == nullptr ||
      *static_cast<const std::uint32_t*>(data) != Thing::kHandle) {
    return refuse_type(env, name, "a handle of its kind");
  }
  thing = &static_cast<Handle<Thing>*>(data)->thing;
  return true;
}
napi_property_descriptor method(const char* name, napi_callback call);
napi_property_descriptor constant(const char* name, napi_value value);

/** Private copies of what stands in shared memory; most batches have none. */
class SharedCopies {
 public:
  /** Points the view at a copy of its first `length` elements if it is shared. False, and thrown, without memory. */
  template <typename Element>
  bool take(napi_env env, View<Element>& view, std::size_t length) {
    if (!view.shared || length == 0) return true;
    auto* const copy = static_cast<Element*>(allocate(env, length * sizeof(Element)));
    if (copy == nullptr) return false;
    std::memcpy(copy, view.data, length * sizeof(Element));
    view.data = copy;
    return true;
  }

 private:
  void* allocate(napi_env env, std::size_t bytes) {
    auto& place = held_[used_++];
    place.reset(new (std::nothrow) std::max_align_t[bytes / sizeof(std::max_align_t) + 1]);
    if (place == nullptr) refuse(env, "no memory for a copy of what stands in shared memory");
    return place.get();
  }

  static constexpr std::size_t kArrays = 6;
  std::unique_ptr<std::max_align_t[]> held_[kArrays];
  std::size_t used_ = 0;
};

}  // namespace vigie::addon
