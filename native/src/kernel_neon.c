/* NEON, which every aarch64 has; its dot product of bytes: Cortex-A76, Neoverse N1, Apple M1 and newer. */
#include "kernel.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

#include "half.h"

#define TARGET
#define INLINE __attribute__((always_inline)) static inline

/* Pairs of codes whose sum fits 16 bits: 32767 / (2 * 127) */
#define SHORT_SUMS 128

static bool
supported(void)
{
	return true;
}

/* `n` tokens of `step` floats against 8 query tokens of a panel that has `width` */
INLINE void
dot8(const float *panel, int width, int depth, const float *tokens, size_t step, float *best, int n)
{
	float32x4_t sum[TILE][2];
	float32x4_t most[2] = {vld1q_f32(best), vld1q_f32(best + 4)};

	for (int t = 0; t < n; t++)
		sum[t][0] = sum[t][1] = vdupq_n_f32(0);
	for (int k = 0; k < depth; k++)
	{
		float32x4_t low = vld1q_f32(panel + (size_t) k * width);
		float32x4_t high = vld1q_f32(panel + (size_t) k * width + 4);

		for (int t = 0; t < n; t++)
		{
			sum[t][0] = vfmaq_n_f32(sum[t][0], low, tokens[t * step + k]);
			sum[t][1] = vfmaq_n_f32(sum[t][1], high, tokens[t * step + k]);
		}
	}
	for (int t = 0; t < n; t++)
	{
		/* the larger, or the one that is a number */
		most[0] = vmaxnmq_f32(most[0], sum[t][0]);
		most[1] = vmaxnmq_f32(most[1], sum[t][1]);
	}
	vst1q_f32(best, most[0]);
	vst1q_f32(best + 4, most[1]);
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

	for (; k + 4 <= dims; k += 4)
		vst1q_f32(to + k, vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(values + 2 * (size_t) k))));
	for (; k < dims; k++)
		to[k] = half_at(values, k);
}

/* 8 query tokens of a panel that has `width` */
INLINE void
distance8(const uint64_t *panel, int width, const Prepared *query, const uint8_t *values, int32_t *best)
{
	size_t		bytes = ((size_t) query->dims + 7) / 8;
	uint32x4_t	sum[4];			/* two for each query token */

	for (int i = 0; i < 4; i++)
		sum[i] = vdupq_n_u32(0);
	for (int k = 0; k < query->depth; k++)
	{
		uint64_t	word = word_at(values, k, bytes);

		for (int i = 0; i < 4; i++)
		{
			uint64x2_t	bits = veorq_u64(vld1q_u64(panel + (size_t) k * width + 2 * i), vdupq_n_u64(word));

			sum[i] = vpadalq_u16(sum[i], vpaddlq_u8(vcntq_u8(vreinterpretq_u8_u64(bits))));
		}
	}
	for (int i = 0; i < 2; i++)
	{
		int32x4_t	distance = vreinterpretq_s32_u32(vpaddq_u32(sum[2 * i], sum[2 * i + 1]));

		vst1q_s32(best + 4 * i, vminq_s32(vld1q_s32(best + 4 * i), distance));
	}
}

static void
scan_bit(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	for (int j = 0; j < count; j++)
		for (int lane = 0; lane < query->lanes; lane += 8)
			distance8(panel_at(query, lane, sizeof(uint64_t)), panel_width(query, lane), query, values + j * stride,
					  (int32_t *) query->best + lane);
}

/* 8 bits to 8 bytes of 0 or -1, least significant first */
INLINE void
expand(const uint8_t *values, int32_t *to, size_t bytes)
{
	const uint8x8_t bit = vcreate_u8(0x8040201008040201);

	for (size_t at = 0; at < bytes; at++)
		vst1_s32(to + 2 * at, vreinterpret_s32_u8(vtst_u8(vdup_n_u8(values[at]), bit)));
}

#include "tiles.h"

/* `n` tokens of expanded bits against 8 query tokens: in 16 bits as long as they suffice, then in 32 */
INLINE void
sum8(const int8_t *panel, int width, int depth, const int32_t *tokens, int32_t *best, int n)
{
	int32x4_t	sum[TILE][2];
	int32x4_t	most[2] = {vld1q_s32(best), vld1q_s32(best + 4)};

	for (int t = 0; t < n; t++)
		sum[t][0] = sum[t][1] = vdupq_n_s32(0);
	for (int start = 0; start < depth; start += SHORT_SUMS)
	{
		int			end = depth - start < SHORT_SUMS ? depth : start + SHORT_SUMS;
		int16x8_t	part[TILE][2];

		for (int t = 0; t < n; t++)
			part[t][0] = part[t][1] = vdupq_n_s16(0);
		for (int k = start; k < end; k++)
		{
			int8x16_t	low = vld1q_s8(panel + (size_t) k * width * 4);
			int8x16_t	high = vld1q_s8(panel + (size_t) k * width * 4 + 16);

			for (int t = 0; t < n; t++)
			{
				int8x16_t	mask = vreinterpretq_s8_s32(vdupq_n_s32(tokens[(size_t) t * depth + k]));

				part[t][0] = vpadalq_s8(part[t][0], vandq_s8(low, mask));
				part[t][1] = vpadalq_s8(part[t][1], vandq_s8(high, mask));
			}
		}
		for (int t = 0; t < n; t++)
		{
			sum[t][0] = vpadalq_s16(sum[t][0], part[t][0]);
			sum[t][1] = vpadalq_s16(sum[t][1], part[t][1]);
		}
	}
	for (int t = 0; t < n; t++)
	{
		most[0] = vmaxq_s32(most[0], sum[t][0]);
		most[1] = vmaxq_s32(most[1], sum[t][1]);
	}
	vst1q_s32(best, most[0]);
	vst1q_s32(best + 4, most[1]);
}

/* Raise the best of all query tokens, 8 at a time, with sum8() or its like */
#define SCAN_EXPANDED(name, target, sum8) \
target INLINE void \
name(const Prepared *query, const int32_t *tokens, int n) \
{ \
	for (int lane = 0; lane < query->lanes; lane += 8) \
	{ \
		sum8(panel_at(query, lane, 4), panel_width(query, lane), query->depth, tokens, \
			 (int32_t *) query->best + lane, n); \
	} \
}

SCAN_EXPANDED(scan_expanded, TARGET, sum8)
SCAN_SIGN(scan_sign, TARGET, scan_expanded)

const Kernel kernel_neon = {"neon", supported, {scan_half, scan_float, scan_bit, scan_sign}};

/* Where not all of a file may use the dot product, clang before 16 offers it to no part */
#if defined(__ARM_FEATURE_DOTPROD)
#define DOT
#elif !defined(__clang__) || __clang_major__ >= 16
#define DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

#if defined(DOT)
static bool
supported_dot(void)
{
#if defined(__APPLE__)
	return true;
#elif defined(__linux__)
	return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
	return false;
#endif
}

DOT INLINE void
sum8_dot(const int8_t *panel, int width, int depth, const int32_t *tokens, int32_t *best, int n)
{
	int32x4_t	sum[TILE][2];
	int32x4_t	most[2] = {vld1q_s32(best), vld1q_s32(best + 4)};

	for (int t = 0; t < n; t++)
		sum[t][0] = sum[t][1] = vdupq_n_s32(0);
	for (int k = 0; k < depth; k++)
	{
		int8x16_t	low = vld1q_s8(panel + (size_t) k * width * 4);
		int8x16_t	high = vld1q_s8(panel + (size_t) k * width * 4 + 16);

		for (int t = 0; t < n; t++)
		{
			int8x16_t	mask = vreinterpretq_s8_s32(vdupq_n_s32(tokens[(size_t) t * depth + k]));

			sum[t][0] = vdotq_s32(sum[t][0], low, mask);
			sum[t][1] = vdotq_s32(sum[t][1], high, mask);
		}
	}
	for (int t = 0; t < n; t++)
	{
		/* a bit that is set is -1 */
		most[0] = vmaxq_s32(most[0], vnegq_s32(sum[t][0]));
		most[1] = vmaxq_s32(most[1], vnegq_s32(sum[t][1]));
	}
	vst1q_s32(best, most[0]);
	vst1q_s32(best + 4, most[1]);
}

SCAN_EXPANDED(scan_expanded_dot, DOT, sum8_dot)
SCAN_SIGN(scan_sign_dot, DOT, scan_expanded_dot)
#else
#define scan_sign_dot scan_sign

static bool
supported_dot(void)
{
	return false;
}
#endif

const Kernel kernel_neondot = {"neondot", supported_dot, {scan_half, scan_float, scan_bit, scan_sign_dot}};
#endif
