/** The decoder's functions; their contract stands in addon.ts. */
#include "addon-credentials.h"

#include <new>

#include "addon-arguments.h"
#include "addon-fields.h"
#include "credential/native/base64url.h"
#include "credential/native/compact-jws.h"
#include "credential/native/jws-decoder.h"

namespace vigie::addon {
namespace {

/** A recogniser in JavaScript's hands. */
struct HeldRecogniser : Recogniser {
  static constexpr std::uint32_t kHandle = 0x5245434f;
};

void write_span(std::uint32_t* fields, Field first, const Span& span, std::uint32_t base) {
  fields[first] = span.begin + base;
  fields[first + 1] = span.end + base;
}

/** One decoded credential's row. */
void write_row(const DecodedJws& decoded, std::uint32_t text_start, std::uint32_t payload_start, std::uint32_t* fields,
               double* dates) {
  const Claims& claims = decoded.claims;
  fields[kPair] = decoded.pair;
  fields[kSigningInputEnd] = text_start + decoded.signing_input_length;
  fields[kPayloadStart] = payload_start;
  fields[kPayloadEnd] = payload_start + decoded.payload_length;
  write_span(fields, kIssStart, claims.iss, payload_start);
  write_span(fields, kJtiStart, claims.jti, payload_start);
  // Absent claims have empty spans, and so has an empty `sub`: which of the two it is stands in the flags.
  write_span(fields, kSubStart, claims.sub, payload_start);
  write_span(fields, kAudStart, claims.aud, payload_start);
  fields[kCnfStart] = claims.cnf.begin + payload_start;
  fields[kRightsStart] = claims.rights.begin + payload_start;
  fields[kObjectLengths] =
      (claims.cnf.end - claims.cnf.begin) | (claims.rights.end - claims.rights.begin) << 16;
  fields[kFlags] = (claims.test ? kIsTest : 0u) | (claims.sub.begin != 0 ? kHasSub : 0u) |
                   (claims.aud.end != 0 ? kHasAud : 0u);
  dates[0] = claims.exp;
  dates[1] = claims.nbf;
  dates[2] = claims.iat;
}

/** Arguments: recogniser, texts, starts, ends, count, maxChars, payloads, signatures, fields, dates. */
struct Call {
  static constexpr std::size_t kArguments = 10;
  HeldRecogniser* recogniser;
  Bytes texts;
  Words starts;
  Words ends;
  std::uint32_t count;
  std::uint32_t max_chars;
  Bytes payloads;
  Bytes signatures;
  Words fields;
  Doubles dates;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_handle(env, arguments[0], "recogniser", call.recogniser) ||
      !read_bytes(env, arguments[1], "texts", call.texts) || !read_words(env, arguments[2], "starts", call.starts) ||
      !read_words(env, arguments[3], "ends", call.ends) || !read_count(env, arguments[4], "count", call.count) ||
      !read_count(env, arguments[5], "maxChars", call.max_chars) ||
      !read_bytes(env, arguments[6], "payloads", call.payloads) ||
      !read_bytes(env, arguments[7], "signatures", call.signatures) ||
      !read_words(env, arguments[8], "fields", call.fields) ||
      !read_doubles(env, arguments[9], "dates", call.dates)) {
    return false;
  }
  if (call.texts.shared || call.starts.shared || call.ends.shared) {
    return refuse(env, "what is decoded must not stand in shared memory");
  }
  if (call.starts.length < call.count || call.ends.length < call.count ||
      call.signatures.length / kSignatureBytes < call.count ||
      call.fields.length / kFields < call.count || call.dates.length / 3 < call.count) {
    return refuse(env, "an array is shorter than the count of credentials asks for");
  }
  return true;
}

}  // namespace

napi_value create_recogniser(napi_env env, napi_callback_info) {
  auto* const handle = new (std::nothrow) Handle<HeldRecogniser>();
  if (handle != nullptr) return give_handle(env, handle);
  refuse(env, "no memory for a recogniser");
  return nullptr;
}

napi_value recognise(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  HeldRecogniser* recogniser = nullptr;
  Bytes header;
  Bytes issuer;
  if (!read_arguments(env, info, arguments, 3) || !read_handle(env, arguments[0], "recogniser", recogniser) ||
      !read_bytes(env, arguments[1], "header", header) || !read_bytes(env, arguments[2], "issuer", issuer)) {
    return nullptr;
  }
  return number(env, recogniser->add(header.data, header.length, issuer.data, issuer.length));
}

napi_value decode_credentials(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  std::size_t payload_start = 0;
  std::uint32_t decoded_count = 0;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    const std::uint32_t start = call.starts.data[i];
    const std::uint32_t end = call.ends.data[i];
    if (start > end || end > call.texts.length) {
      refuse(env, "a credential must not end before it begins, nor beyond the array");
      return nullptr;
    }
    std::uint32_t* const fields = call.fields.data + std::size_t{kFields} * i;
    DecodedJws decoded;
    // Larger than any payload of this text, which has other parts too.
    const bool is_short = end - start <= call.max_chars;
    const bool has_room = call.payloads.length - payload_start > base64url_bytes(end - start) + 1;
    if (is_short && has_room && decode_jws(*call.recogniser, call.texts.data + start, end - start, decoded,
                               call.payloads.data + payload_start,
                               call.signatures.data + std::size_t{kSignatureBytes} * i) &&
        decoded.payload_length <= kMostPayloadBytes) {
      write_row(decoded, start, static_cast<std::uint32_t>(payload_start), fields, call.dates.data + 3 * i);
      payload_start += decoded.payload_length;
      ++decoded_count;
    } else {
      fields[kPair] = Recogniser::kUnknown;
    }
  }
  return number(env, decoded_count);
}

}  // namespace vigie::addon
