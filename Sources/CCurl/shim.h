/* libcurl, loaded on first use.
 *
 * Linking libcurl costs about 13 ms when a process starts (it brings some forty shared libraries), which a command such as
 * `--help` must not pay. So nothing here refers to a symbol of libcurl: `ccurl_load` opens the library and fills a table of
 * functions, and every wrapper takes that table. The types and constants come from curl's own headers.
 *
 * Swift can call neither variadic functions nor macros, so each variadic function has one typed wrapper per argument shape:
 * the wrong shape does not compile. */
#ifndef REMIT_CCURL_SHIM_H
#define REMIT_CCURL_SHIM_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "the curl headers are too old: 7.87 or newer is needed (CURLOPT_QUICK_EXIT)"
#endif

typedef size_t (*ccurl_write)(char *bytes, size_t size, size_t count, void *context);

/* The functions that Remit uses. Read-only once `ccurl_load` has returned 0. */
struct ccurl_api {
  CURLcode (*global_init)(long flags);
  const char *(*easy_strerror)(CURLcode code);
  const char *(*multi_strerror)(CURLMcode code);
  CURL *(*easy_init)(void);
  void (*easy_reset)(CURL *easy);
  void (*easy_cleanup)(CURL *easy);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_cleanup)(CURLM *multi);
  CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
  CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
  CURLMcode (*multi_perform)(CURLM *multi, int *running);
  CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *extra, unsigned int count, int milliseconds, int *ready);
  CURLMcode (*multi_wakeup)(CURLM *multi);
  CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
  struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
  void (*slist_free_all)(struct curl_slist *list);
  void *easy_setopt;  /* variadic: reached through the ccurl_set_… wrappers */
  void *easy_getinfo; /* variadic: reached through the ccurl_info_… wrappers */
  void *multi_setopt; /* variadic: reached through ccurl_multi_set_long */
  char version[32];   /* of the library that was loaded, such as "7.88.1" */
};

enum ccurl_load_result { CCURL_LOADED = 0, CCURL_NO_LIBRARY = 1, CCURL_NO_SYMBOL = 2, CCURL_TOO_OLD = 3, CCURL_INIT_FAILED = 4 };

/* Opens libcurl and fills `api`. On failure `detail` (at most `size` bytes, NUL-terminated) says what was missing. */
static inline enum ccurl_load_result ccurl_load(struct ccurl_api *api, char *detail, size_t size) {
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
  void *library = NULL;
  const char *why = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) {
    library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
    if (!library && !why) why = dlerror();
  }
  if (!library) {
    size_t n = 0;
    for (; why && why[n] && n + 1 < size; n++) detail[n] = why[n];
    if (size) detail[n] = 0;
    return CCURL_NO_LIBRARY;
  }
  struct {
    const char *name;
    void **slot;
  } const symbols[] = {
      {"curl_global_init", (void **)&api->global_init},
      {"curl_easy_strerror", (void **)&api->easy_strerror},
      {"curl_multi_strerror", (void **)&api->multi_strerror},
      {"curl_easy_init", (void **)&api->easy_init},
      {"curl_easy_reset", (void **)&api->easy_reset},
      {"curl_easy_cleanup", (void **)&api->easy_cleanup},
      {"curl_multi_init", (void **)&api->multi_init},
      {"curl_multi_cleanup", (void **)&api->multi_cleanup},
      {"curl_multi_add_handle", (void **)&api->multi_add_handle},
      {"curl_multi_remove_handle", (void **)&api->multi_remove_handle},
      {"curl_multi_perform", (void **)&api->multi_perform},
      {"curl_multi_poll", (void **)&api->multi_poll},
      {"curl_multi_wakeup", (void **)&api->multi_wakeup},
      {"curl_multi_info_read", (void **)&api->multi_info_read},
      {"curl_slist_append", (void **)&api->slist_append},
      {"curl_slist_free_all", (void **)&api->slist_free_all},
      {"curl_easy_setopt", &api->easy_setopt},
      {"curl_easy_getinfo", &api->easy_getinfo},
      {"curl_multi_setopt", &api->multi_setopt},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].slot = dlsym(library, symbols[i].name);
    if (!*symbols[i].slot) {
      size_t n = 0;
      for (; symbols[i].name[n] && n + 1 < size; n++) detail[n] = symbols[i].name[n];
      if (size) detail[n] = 0;
      return CCURL_NO_SYMBOL;
    }
  }
  curl_version_info_data *(*info)(CURLversion) = NULL;
  *(void **)&info = dlsym(library, "curl_version_info");
  curl_version_info_data *data = info ? info(CURLVERSION_NOW) : NULL;
  size_t n = 0;
  for (; data && data->version[n] && n + 1 < sizeof api->version; n++) api->version[n] = data->version[n];
  api->version[n] = 0;
  if (!data || data->version_num < 0x075700) {
    for (n = 0; api->version[n] && n + 1 < size; n++) detail[n] = api->version[n];
    if (size) detail[n] = 0;
    return CCURL_TOO_OLD;
  }
  if (size) detail[0] = 0;
  return api->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? CCURL_LOADED : CCURL_INIT_FAILED;
}

typedef CURLcode (*ccurl_easy_variadic)(CURL *, int, ...);
typedef CURLMcode (*ccurl_multi_variadic)(CURLM *, int, ...);

static inline CURLcode ccurl_set_long(const struct ccurl_api *api, CURL *easy, CURLoption option, long value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_offset(const struct ccurl_api *api, CURL *easy, CURLoption option, curl_off_t value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_string(const struct ccurl_api *api, CURL *easy, CURLoption option, const char *value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_pointer(const struct ccurl_api *api, CURL *easy, CURLoption option, const void *value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_list(const struct ccurl_api *api, CURL *easy, CURLoption option, struct curl_slist *value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_write(const struct ccurl_api *api, CURL *easy, CURLoption option, ccurl_write value) {
  return ((ccurl_easy_variadic)api->easy_setopt)(easy, option, value);
}
static inline CURLMcode ccurl_multi_set_long(const struct ccurl_api *api, CURLM *multi, CURLMoption option, long value) {
  return ((ccurl_multi_variadic)api->multi_setopt)(multi, option, value);
}
static inline CURLcode ccurl_info_long(const struct ccurl_api *api, CURL *easy, CURLINFO info, long *value) {
  return ((ccurl_easy_variadic)api->easy_getinfo)(easy, info, value);
}
static inline CURLcode ccurl_info_pointer(const struct ccurl_api *api, CURL *easy, CURLINFO info, void **value) {
  return ((ccurl_easy_variadic)api->easy_getinfo)(easy, info, value);
}
/* CURLMsg holds a union, which Swift reads poorly. */
static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

#endif
