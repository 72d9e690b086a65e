/** The store's functions; their contract stands in the header. */
#include "addon-keys.h"

#include <memory>
#include <new>

#include "addon-arguments.h"
#include "signature/native/key-store.h"

namespace vigie::addon {

namespace {

/** One key on its way into the store. */
struct Preparation {
  KeyStore* store;
  KeyBytes key;
  int window_bits;
  std::size_t max_bytes;
  KeyStore::Outcome outcome;
  napi_async_work work;
  napi_deferred deferred;
};

void build(napi_env, void* data) {
  auto& preparation = *static_cast<Preparation*>(data);
  preparation.outcome =
      preparation.store->prepare(preparation.key, preparation.window_bits, preparation.max_bytes);
}

/** Back in the caller's thread. An environment that is being torn down answers nothing, which is no error. */
void settle(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Preparation> preparation(static_cast<Preparation*>(data));
  napi_value is_prepared = nullptr;
  if (napi_get_boolean(env, preparation->outcome == KeyStore::Outcome::kPrepared, &is_prepared) == napi_ok) {
    napi_resolve_deferred(env, preparation->deferred, is_prepared);
  }
  napi_delete_async_work(env, preparation->work);
}

/** The promise of a queued preparation, which owns itself from then on; null, and thrown, when it cannot be queued. */
napi_value queue(napi_env env, std::unique_ptr<Preparation> preparation) {
  napi_value name = nullptr;
  napi_value promise = nullptr;
  Preparation& queued = *preparation;
  if (napi_create_string_utf8(env, "vigie:prepare-key", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, build, settle, &queued, &queued.work) != napi_ok) {
    return nullptr;
  }
  if (napi_create_promise(env, &queued.deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, queued.work) != napi_ok) {
    napi_delete_async_work(env, queued.work);
    return nullptr;
  }
  preparation.release();
  return promise;
}

bool read_window(napi_env env, napi_value value, int& window_bits) {
  std::uint32_t bits = 0;
  if (!read_count(env, value, "windowBits", bits)) return false;
  if (bits < kMinWindowBits || bits > kMaxWindowBits) return refuse(env, "there is no window of that width");
  window_bits = static_cast<int>(bits);
  return true;
}

bool read_preparation(napi_env env, napi_callback_info info, Preparation& preparation) {
  napi_value arguments[3];
  Bytes key;
  if (!read_arguments(env, info, arguments, 3) || !read_bytes(env, arguments[0], "publicKey", key) ||
      !read_window(env, arguments[1], preparation.window_bits) ||
      !read_size(env, arguments[2], "maxBytes", preparation.max_bytes)) {
    return false;
  }
  if (key.length != preparation.key.size()) return refuse(env, "a public key has 32 bytes");
  std::memcpy(preparation.key.data(), key.data, key.length);
  preparation.outcome = KeyStore::Outcome::kNoMemory;
  return true;
}

napi_value prepare_now(napi_env env, napi_callback_info info, KeyStore& store) {
  Preparation preparation{};
  preparation.store = &store;
  if (!read_preparation(env, info, preparation)) return nullptr;
  build(env, &preparation);
  napi_value is_prepared = nullptr;
  napi_get_boolean(env, preparation.outcome == KeyStore::Outcome::kPrepared, &is_prepared);
  return is_prepared;
}

void set_number(napi_env env, napi_value object, const char* name, double value) {
  napi_set_named_property(env, object, name, number(env, value));
}

}  // namespace

napi_value prepare_key_async(napi_env env, napi_callback_info info) {
  std::unique_ptr<Preparation> preparation(new (std::nothrow) Preparation{});
  if (preparation == nullptr) {
    refuse(env, "no memory to prepare a key");
    return nullptr;
  }
  preparation->store = &KeyStore::instance();
  if (!read_preparation(env, info, *preparation)) return nullptr;
  return queue(env, std::move(preparation));
}

napi_value prepare_key_now(napi_env env, napi_callback_info info) {
  return prepare_now(env, info, KeyStore::instance());
}

napi_value prepare_self_test_key(napi_env env, napi_callback_info info) {
  return prepare_now(env, info, KeyStore::for_self_test());
}

napi_value prepared_key_bytes_of(napi_env env, napi_callback_info info) {
  napi_value argument[1];
  int window_bits = 0;
  if (!read_arguments(env, info, argument, 1) || !read_window(env, argument[0], window_bits)) return nullptr;
  return number(env, static_cast<double>(KeyStore::bytes_of(window_bits)));
}

napi_value store_stats(napi_env env, napi_callback_info) {
  const KeyStoreStats stats = KeyStore::instance().stats();
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  set_number(env, object, "keys", static_cast<double>(stats.keys));
  set_number(env, object, "bytes", static_cast<double>(stats.bytes));
  set_number(env, object, "evictions", static_cast<double>(stats.evictions));
  set_number(env, object, "built", static_cast<double>(stats.built));
  return object;
}

napi_value clear_store(napi_env, napi_callback_info) {
  KeyStore::instance().clear();
  return nullptr;
}

}  // namespace vigie::addon
