/* One half-precision value as float; exact, subnormal numbers included. */
#ifndef PGENCODER_HALF_H
#define PGENCODER_HALF_H

#include <stdint.h>
#include <string.h>

static inline float
half_to_float(uint16_t half)
{
	/* after the shift the exponent is 112 too small; the product corrects that, for subnormal numbers too */
	uint32_t	bits = (uint32_t) (half & 0x7fff) << 13;
	uint32_t	sign = (uint32_t) (half & 0x8000) << 16;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	value *= 0x1p112f;
	memcpy(&bits, &value, sizeof(bits));
	if ((half & 0x7c00) == 0x7c00)	/* infinity and NaN keep their exponent of ones */
		bits |= 0x7f800000;
	bits |= sign;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline float
half_at(const uint8_t *values, int i)
{
	uint16_t	half;

	memcpy(&half, values + 2 * i, sizeof(half));
	return half_to_float(half);
}

#endif
