/* SHA-256 compression (FIPS 180-4, section 6.2.2), with the SHA-NI instructions where the processor has them. */
#ifndef CSHA256_H
#define CSHA256_H
#include <stddef.h>
#include <stdint.h>

/* Folds `count` blocks of 64 bytes into `state` (eight words, host order). */
void csha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

/* The portable code alone, so that tests can compare the two. */
void csha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count);

/* 1 when csha256_compress uses SHA-NI here. */
int csha256_accelerated(void);
#endif
