/* AVX2 with FMA and F16C: Haswell, Zen and newer. */
#include "kernel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt")))
#define INLINE __attribute__((target("avx2,fma,f16c,popcnt"), always_inline)) static inline

/* Sums of two products of a bit and a code that fit 16 bits: 32767 / (2 * 127) */
#define SHORT_SUMS 128

/* gcc 12 keeps sums of the type __m256i, which has elements of 64 bits, in memory; of their true type in registers */
typedef int16_t Shorts __attribute__((vector_size(32)));

static bool
supported(void)
{
	unsigned int eax,
				ebx,
				ecx,
				edx;

	/* not every compiler's __builtin_cpu_supports() knows f16c */
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt")
		&& __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}

/* `n` tokens of `step` floats against 8 query tokens of a panel that has `width` */
INLINE void
dot8(const float *panel, int width, int depth, const float *tokens, size_t step, float *best, int n)
{
	__m256		sum[TILE];
	__m256		most = _mm256_loadu_ps(best);

	for (int t = 0; t < n; t++)
		sum[t] = _mm256_setzero_ps();
	for (int k = 0; k < depth; k++)
	{
		__m256		values = _mm256_load_ps(panel + (size_t) k * width);

		for (int t = 0; t < n; t++)
			sum[t] = _mm256_fmadd_ps(values, _mm256_set1_ps(tokens[t * step + k]), sum[t]);
	}
	for (int t = 0; t < n; t++)
		/* the larger, or the one that is a number */
		most = _mm256_blendv_ps(_mm256_max_ps(sum[t], most), sum[t], _mm256_cmp_ps(most, most, _CMP_UNORD_Q));
	_mm256_storeu_ps(best, most);
}

INLINE void
scan_tile(const Prepared *query, const float *tokens, size_t step, int n)
{
	for (int lane = 0; lane < query->lanes; lane += 8)
		dot8(panel_at(query, lane, sizeof(float)), panel_width(query, lane), query->depth, tokens, step,
			 (float *) query->best + lane, n);
}

INLINE void
widen(const uint8_t *values, float *to, int dims)
{
	int			k = 0;

	for (; k + 8 <= dims; k += 8)
		_mm256_storeu_ps(to + k, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (values + 2 * (size_t) k))));
	for (; k < dims; k++)
	{
		uint16_t	half;

		memcpy(&half, values + 2 * (size_t) k, sizeof(half));
		to[k] = _cvtsh_ss(half);
	}
}

/* `n` tokens of expanded bits against 8 query tokens: in 16 bits as long as they suffice, then in 32 */
INLINE void
sum8(const int8_t *panel, int width, int depth, const int32_t *tokens, int32_t *best, int n)
{
	__m256i		sum[TILE];
	__m256i		most = _mm256_loadu_si256((const __m256i *) best);

	for (int t = 0; t < n; t++)
		sum[t] = _mm256_setzero_si256();
	for (int start = 0; start < depth; start += SHORT_SUMS)
	{
		int			end = depth - start < SHORT_SUMS ? depth : start + SHORT_SUMS;
		Shorts		part[TILE];

		for (int t = 0; t < n; t++)
			part[t] = (Shorts) _mm256_setzero_si256();
		for (int k = start; k < end; k++)
		{
			__m256i		codes = _mm256_load_si256((const __m256i *) (panel + (size_t) k * width * 4));

			for (int t = 0; t < n; t++)
				part[t] += (Shorts) _mm256_maddubs_epi16(_mm256_set1_epi32(tokens[(size_t) t * depth + k]), codes);
		}
		for (int t = 0; t < n; t++)
			sum[t] = _mm256_add_epi32(sum[t], _mm256_madd_epi16((__m256i) part[t], _mm256_set1_epi16(1)));
	}
	for (int t = 0; t < n; t++)
		most = _mm256_max_epi32(most, sum[t]);
	_mm256_storeu_si256((__m256i *) best, most);
}

INLINE void
scan_expanded(const Prepared *query, const int32_t *tokens, int n)
{
	for (int lane = 0; lane < query->lanes; lane += 8)
		sum8(panel_at(query, lane, 4), panel_width(query, lane), query->depth, tokens, (int32_t *) query->best + lane, n);
}

/* 32 bits to 32 bytes of 0 or 1, least significant first */
INLINE void
expand(const uint8_t *values, int32_t *to, size_t bytes)
{
	const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
											2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
	const __m256i bit = _mm256_set1_epi64x((long long) 0x8040201008040201);

	for (size_t at = 0; at < bytes; at += 4)
	{
		int32_t		word = 0;
		__m256i		bytewise;

		if (at + 4 <= bytes)
			memcpy(&word, values + at, 4);
		else
			memcpy(&word, values + at, bytes - at);
		bytewise = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(word), spread), bit);
		bytewise = _mm256_and_si256(_mm256_cmpeq_epi8(bytewise, bit), _mm256_set1_epi8(1));
		_mm256_storeu_si256((__m256i *) (to + 2 * at), bytewise);
	}
}

#include "tiles.h"

SCAN_SIGN(scan_sign, TARGET, scan_expanded)

/* Bits set in each 64-bit lane: a table of the 16 values of 4 bits (Mula, Kurz and Lemire 2018) */
INLINE __m256i
popcount(__m256i words)
{
	const __m256i low = _mm256_set1_epi8(15);
	const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
											0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	__m256i		bytes = _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(words, low)),
										_mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(words, 4), low)));

	return _mm256_sad_epu8(bytes, _mm256_setzero_si256());
}

/* 4 query tokens of a panel that has `width` */
INLINE void
distance4(const uint64_t *panel, int width, const Prepared *query, const uint8_t *values, int32_t *best)
{
	size_t		bytes = ((size_t) query->dims + 7) / 8;
	__m256i		sum = _mm256_setzero_si256();
	__m128i		least = _mm_loadu_si128((const __m128i *) best);

	for (int k = 0; k < query->depth; k++)
	{
		uint64_t	word = word_at(values, k, bytes);

		sum = _mm256_add_epi64(sum, popcount(_mm256_xor_si256(_mm256_set1_epi64x((long long) word),
															  _mm256_load_si256((const __m256i *) (panel + (size_t) k * width)))));
	}
	/* the low halves of the four sums */
	sum = _mm256_permutevar8x32_epi32(sum, _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0));
	_mm_storeu_si128((__m128i *) best, _mm_min_epi32(least, _mm256_castsi256_si128(sum)));
}

TARGET static void
scan_bit(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	for (int j = 0; j < count; j++)
		for (int lane = 0; lane < query->lanes; lane += 4)
			distance4(panel_at(query, lane, sizeof(uint64_t)), panel_width(query, lane), query, values + j * stride,
					  (int32_t *) query->best + lane);
}

const Kernel kernel_avx2 = {"avx2", supported, {scan_half, scan_float, scan_bit, scan_sign}};
#endif
