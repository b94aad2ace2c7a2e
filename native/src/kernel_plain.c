/* Plain C: the tests compare every other kernel with this one. */
#include "kernel.h"

#include <math.h>

#include "half.h"

#define INLINE __attribute__((always_inline)) static inline

static bool
supported(void)
{
	return true;
}

static void
scan_floats(const Prepared *query, const float *token)
{
	for (int lane = 0; lane < query->lanes; lane += 8)
	{
		int			width = panel_width(query, lane);
		const float *panel = panel_at(query, lane, sizeof(float));
		float	   *best = (float *) query->best + lane;
		float		dot[8] = {0};

		for (int k = 0; k < query->depth; k++)
			for (int i = 0; i < 8; i++)
				dot[i] += panel[(size_t) k * width + i] * token[k];
		for (int i = 0; i < 8; i++)
			if (dot[i] > best[i] || isnan(best[i]))
				best[i] = dot[i];
	}
}

static void
scan_half(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	float	   *token = query->scratch;

	for (int j = 0; j < count; j++)
	{
		for (int k = 0; k < query->dims; k++)
			token[k] = half_at(values + j * stride, k);
		scan_floats(query, token);
	}
}

static void
scan_float(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	for (int j = 0; j < count; j++)
		scan_floats(query, (const float *) (values + j * stride));
}

/* The byte masks for each of the 16 values of 4 bits, least significant bit first */
static const uint8_t spread[16][4] = {
	{0, 0, 0, 0}, {255, 0, 0, 0}, {0, 255, 0, 0}, {255, 255, 0, 0},
	{0, 0, 255, 0}, {255, 0, 255, 0}, {0, 255, 255, 0}, {255, 255, 255, 0},
	{0, 0, 0, 255}, {255, 0, 0, 255}, {0, 255, 0, 255}, {255, 255, 0, 255},
	{0, 0, 255, 255}, {255, 0, 255, 255}, {0, 255, 255, 255}, {255, 255, 255, 255}
};

/* One token against a panel; `width` is a constant after inlining, so the compiler can use vector instructions */
INLINE void
sum(const uint32_t *panel, int width, int dims, const uint8_t *token, int32_t *best)
{
	int32_t		sum[PANEL] = {0};

	for (int k = 0; k < (dims + 7) / 8 * 2; k++)
	{
		uint32_t	mask;

		memcpy(&mask, spread[token[k / 2] >> (k % 2 * 4) & 15], sizeof(mask));
		for (int i = 0; i < width; i++)
		{
			/* four codes; those of clear bits become 0, and each is sign-extended */
			uint32_t	codes = panel[(size_t) k * width + i] & mask;

			sum[i] += ((int32_t) (codes << 24) >> 24) + ((int32_t) (codes << 16) >> 24)
				+ ((int32_t) (codes << 8) >> 24) + ((int32_t) codes >> 24);
		}
	}
	for (int i = 0; i < width; i++)
		if (sum[i] > best[i])
			best[i] = sum[i];
}

static void
scan_sign(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	for (int j = 0; j < count; j++)
		for (int lane = 0; lane < query->lanes; lane += PANEL)
		{
			const uint32_t *panel = panel_at(query, lane, sizeof(uint32_t));
			int32_t    *best = (int32_t *) query->best + lane;

			if (panel_width(query, lane) == 16)
				sum(panel, 16, query->dims, values + j * stride, best);
			else
				sum(panel, 8, query->dims, values + j * stride, best);
		}
}

static void
scan_bit(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	int32_t    *best = query->best;
	size_t		bytes = ((size_t) query->dims + 7) / 8;

	for (int j = 0; j < count; j++)
		for (int lane = 0; lane < query->lanes; lane += PANEL)
		{
			int			width = panel_width(query, lane);
			const uint64_t *panel = panel_at(query, lane, sizeof(uint64_t));
			int32_t		distance[PANEL] = {0};

			for (int k = 0; k < query->depth; k++)
			{
				uint64_t	word = word_at(values + j * stride, k, bytes);

				for (int i = 0; i < width; i++)
					distance[i] += __builtin_popcountll(panel[(size_t) k * width + i] ^ word);
			}
			for (int i = 0; i < width; i++)
				if (distance[i] < best[lane + i])
					best[lane + i] = distance[i];
		}
}

const Kernel kernel_plain = {"plain", supported, {scan_half, scan_float, scan_bit, scan_sign}};
