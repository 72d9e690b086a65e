/** Reading of arguments; the contract stands in the header. */
#include "addon-arguments.h"

#include <cmath>
#include <cstdio>

namespace vigie::addon {

namespace {

/** `buffer`: a handle on what it stands on, unless null; it costs as much again. */
template <typename Element>
bool read_elements(napi_env env, napi_value value, napi_typedarray_type wanted, View<Element>& view,
                   napi_value* buffer) {
  napi_typedarray_type type = napi_int8_array;
  void* data = nullptr;
  // Fails, without a throw, for anything but a typed array. A Node-API call reports the length in elements.
  if (napi_get_typedarray_info(env, value, &type, &view.length, &data, buffer, nullptr) != napi_ok) return false;
  view.data = static_cast<Element*>(data);
  return type == wanted;
}

template <typename Element>
bool read_view(napi_env env, napi_value value, napi_typedarray_type wanted, View<Element>& view) {
  napi_value buffer = nullptr;
  bool is_private = false;
  if (!read_elements(env, value, wanted, view, &buffer) || napi_is_arraybuffer(env, buffer, &is_private) != napi_ok) {
    return false;
  }
  // A typed array stands on an ArrayBuffer or on a SharedArrayBuffer, which is none.
  view.shared = !is_private;
  return true;
}

bool read_whole(napi_env env, napi_value value, double limit, double& whole) {
  return napi_get_value_double(env, value, &whole) == napi_ok && whole >= 0 && whole <= limit &&
         whole == std::floor(whole);
}

}  // namespace

bool refuse_type(napi_env env, const char* name, const char* what) {
  char message[96];
  std::snprintf(message, sizeof message, "%s must be %s", name, what);
  napi_throw_type_error(env, nullptr, message);
  return false;
}

bool refuse(napi_env env, const char* why) {
  napi_throw_range_error(env, nullptr, why);
  return false;
}

bool read_arguments(napi_env env, napi_callback_info info, napi_value* arguments, std::size_t count) {
  std::size_t given = count;
  return napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr) == napi_ok;
}

bool read_bytes(napi_env env, napi_value value, const char* name, Bytes& bytes) {
  return read_view(env, value, napi_uint8_array, bytes) || refuse_type(env, name, "a Uint8Array");
}

bool read_room(napi_env env, napi_value value, const char* name, Bytes& room) {
  return read_elements(env, value, napi_uint8_array, room, nullptr) || refuse_type(env, name, "a Uint8Array");
}

bool read_words(napi_env env, napi_value value, const char* name, Words& words) {
  return read_view(env, value, napi_uint32_array, words) || refuse_type(env, name, "a Uint32Array");
}

bool read_doubles(napi_env env, napi_value value, const char* name, Doubles& doubles) {
  return read_view(env, value, napi_float64_array, doubles) || refuse_type(env, name, "a Float64Array");
}

bool read_count(napi_env env, napi_value value, const char* name, std::uint32_t& count) {
  double whole = 0;
  if (!read_whole(env, value, 4294967295.0, whole)) return refuse_type(env, name, "a whole number");
  count = static_cast<std::uint32_t>(whole);
  return true;
}

bool read_size(napi_env env, napi_value value, const char* name, std::size_t& size) {
  double whole = 0;
  if (!read_whole(env, value, 9007199254740991.0, whole)) return refuse_type(env, name, "a whole number");
  size = static_cast<std::size_t>(whole);
  return true;
}

bool read_flag(napi_env env, napi_value value, const char* name, bool& flag) {
  return napi_get_value_bool(env, value, &flag) == napi_ok || refuse_type(env, name, "true or false");
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_property_descriptor method(const char* name, napi_callback call) {
  return {name, nullptr, call, nullptr, nullptr, nullptr, napi_enumerable, nullptr};
}

napi_property_descriptor constant(const char* name, napi_value value) {
  return {name, nullptr, nullptr, nullptr, nullptr, value, napi_enumerable, nullptr};
}

}  // namespace vigie::addon
