/* AVX-512 with VNNI and VPOPCNTDQ: Ice Lake, Sapphire Rapids, Zen 4 and newer. */
#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq,fma")))
#define INLINE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq,fma"), always_inline)) static inline

/* gcc 12 keeps sums of the type __m512i, which has elements of 64 bits, in memory; of their true type in registers */
typedef int32_t Ints16 __attribute__((vector_size(64)));
typedef int32_t Ints8 __attribute__((vector_size(32)));

static bool
supported(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
		&& __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")
		&& __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("fma");
}

/* The larger, or the one that is a number */
INLINE __m512
raise16(__m512 best, __m512 dot)
{
	return _mm512_mask_mov_ps(_mm512_max_ps(dot, best), _mm512_cmp_ps_mask(best, best, _CMP_UNORD_Q), dot);
}

INLINE __m256
raise8(__m256 best, __m256 dot)
{
	return _mm256_mask_mov_ps(_mm256_max_ps(dot, best), _mm256_cmp_ps_mask(best, best, _CMP_UNORD_Q), dot);
}

/* `n` tokens of `step` floats against 16 query tokens; n is a constant after inlining, so the sums stay in registers */
INLINE void
dot16(const float *panel, int depth, const float *tokens, size_t step, float *best, int n)
{
	__m512		sum[TILE];
	__m512		most = _mm512_loadu_ps(best);

	for (int t = 0; t < n; t++)
		sum[t] = _mm512_setzero_ps();
	for (int k = 0; k < depth; k++)
	{
		__m512		values = _mm512_load_ps(panel + (size_t) k * 16);

		for (int t = 0; t < n; t++)
			sum[t] = _mm512_fmadd_ps(values, _mm512_set1_ps(tokens[t * step + k]), sum[t]);
	}
	for (int t = 0; t < n; t++)
		most = raise16(most, sum[t]);
	_mm512_storeu_ps(best, most);
}

INLINE void
dot8(const float *panel, int depth, const float *tokens, size_t step, float *best, int n)
{
	__m256		sum[TILE];
	__m256		most = _mm256_loadu_ps(best);

	for (int t = 0; t < n; t++)
		sum[t] = _mm256_setzero_ps();
	for (int k = 0; k < depth; k++)
	{
		__m256		values = _mm256_load_ps(panel + (size_t) k * 8);

		for (int t = 0; t < n; t++)
			sum[t] = _mm256_fmadd_ps(values, _mm256_set1_ps(tokens[t * step + k]), sum[t]);
	}
	for (int t = 0; t < n; t++)
		most = raise8(most, sum[t]);
	_mm256_storeu_ps(best, most);
}

INLINE void
scan_tile(const Prepared *query, const float *tokens, size_t step, int n)
{
	for (int lane = 0; lane < query->lanes; lane += PANEL)
	{
		const float *panel = panel_at(query, lane, sizeof(float));
		float	   *best = (float *) query->best + lane;

		if (panel_width(query, lane) == 16)
			dot16(panel, query->depth, tokens, step, best, n);
		else
			dot8(panel, query->depth, tokens, step, best, n);
	}
}

INLINE void
widen(const uint8_t *values, float *to, int dims)
{
	int			k = 0;

	for (; k + 16 <= dims; k += 16)
		_mm512_storeu_ps(to + k, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) (values + 2 * (size_t) k))));
	if (k < dims)
	{
		__mmask16	left = (__mmask16) ((1u << (dims - k)) - 1);
		__m256i		halves = _mm256_maskz_loadu_epi16(left, values + 2 * (size_t) k);

		_mm512_mask_storeu_ps(to + k, left, _mm512_cvtph_ps(halves));
	}
}

/* `n` tokens of expanded bits, 4 dimensions at each depth, against 16 query tokens */
INLINE void
sum16(const int8_t *panel, int depth, const int32_t *tokens, int32_t *best, int n)
{
	Ints16		sum[TILE];
	__m512i		most = _mm512_loadu_si512(best);

	for (int t = 0; t < n; t++)
		sum[t] = (Ints16) _mm512_setzero_si512();
	for (int k = 0; k < depth; k++)
	{
		__m512i		codes = _mm512_load_si512(panel + (size_t) k * 64);

		for (int t = 0; t < n; t++)
			sum[t] = (Ints16) _mm512_dpbusd_epi32((__m512i) sum[t],
												  _mm512_set1_epi32(tokens[(size_t) t * depth + k]), codes);
	}
	for (int t = 0; t < n; t++)
		most = _mm512_max_epi32(most, (__m512i) sum[t]);
	_mm512_storeu_si512(best, most);
}

INLINE void
sum8(const int8_t *panel, int depth, const int32_t *tokens, int32_t *best, int n)
{
	Ints8		sum[TILE];
	__m256i		most = _mm256_loadu_si256((const __m256i *) best);

	for (int t = 0; t < n; t++)
		sum[t] = (Ints8) _mm256_setzero_si256();
	for (int k = 0; k < depth; k++)
	{
		__m256i		codes = _mm256_load_si256((const __m256i *) (panel + (size_t) k * 32));

		for (int t = 0; t < n; t++)
			sum[t] = (Ints8) _mm256_dpbusd_epi32((__m256i) sum[t],
												 _mm256_set1_epi32(tokens[(size_t) t * depth + k]), codes);
	}
	for (int t = 0; t < n; t++)
		most = _mm256_max_epi32(most, (__m256i) sum[t]);
	_mm256_storeu_si256((__m256i *) best, most);
}

INLINE void
scan_expanded(const Prepared *query, const int32_t *tokens, int n)
{
	for (int lane = 0; lane < query->lanes; lane += PANEL)
	{
		const int8_t *panel = panel_at(query, lane, 4);
		int32_t    *best = (int32_t *) query->best + lane;

		if (panel_width(query, lane) == 16)
			sum16(panel, query->depth, tokens, best, n);
		else
			sum8(panel, query->depth, tokens, best, n);
	}
}

/* 64 bits to 64 bytes of 0 or 1, least significant first */
INLINE void
expand(const uint8_t *values, int32_t *to, size_t bytes)
{
	int			words = (int) (bytes / 8);

	for (int k = 0; k < words; k++)
		_mm512_store_si512(to + 16 * k, _mm512_maskz_set1_epi8((__mmask64) word_at(values, k, SIZE_MAX), 1));
	if (bytes % 8 != 0)
		_mm512_store_si512(to + 16 * words, _mm512_maskz_set1_epi8((__mmask64) word_at(values, words, bytes), 1));
}

#include "tiles.h"

SCAN_SIGN(scan_sign, TARGET, scan_expanded)

/* 8 query tokens; `panel` has `width` of them at each depth */
INLINE void
distance8(const uint64_t *panel, int width, const Prepared *query, const uint8_t *values, int32_t *best)
{
	size_t		bytes = ((size_t) query->dims + 7) / 8;
	__m512i		sum = _mm512_setzero_si512();
	__m256i		least = _mm256_loadu_si256((const __m256i *) best);

	for (int k = 0; k < query->depth; k++)
	{
		uint64_t	word = word_at(values, k, bytes);

		sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_set1_epi64((long long) word),
																		 _mm512_load_si512(panel + (size_t) k * width))));
	}
	_mm256_storeu_si256((__m256i *) best, _mm256_min_epi32(least, _mm512_cvtepi64_epi32(sum)));
}

TARGET static void
scan_bit(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	for (int j = 0; j < count; j++)
		for (int lane = 0; lane < query->lanes; lane += 8)
			distance8(panel_at(query, lane, sizeof(uint64_t)), panel_width(query, lane), query, values + j * stride,
					  (int32_t *) query->best + lane);
}

const Kernel kernel_avx512 = {"avx512", supported, {scan_half, scan_float, scan_bit, scan_sign}};
#endif
