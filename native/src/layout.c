#include "kernel.h"


#define MAX_DIMS 16000			/* of halfvec and vector */

static uint32_t
read_word(const uint8_t *at)
{
	uint32_t	word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Size of an element, header included; 0 for anything but a plain 4-byte length word */
static size_t
element_size(uint32_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (word & 0xC0000000) == 0 ? word : 0;
#else
	return (word & 3) == 0 ? word >> 2 : 0;
#endif
}

/* Dimensions of a token; -1 if its type cannot have them or they do not fit its size */
static int
element_dims(Element element, const uint8_t *token, size_t size)
{
	int16_t		dim;
	int32_t		bits;

	if (element == ELEMENT_BIT)
	{
		memcpy(&bits, token + 4, sizeof(bits));
		return bits >= 0 && size - TOKEN_HEADER == ((size_t) bits + 7) / 8 ? bits : -1;
	}
	memcpy(&dim, token + 4, sizeof(dim));
	if (dim < 1 || dim > MAX_DIMS)
		return -1;
	return size - TOKEN_HEADER == (size_t) dim * (element == ELEMENT_HALFVEC ? 2 : 4) ? dim : -1;
}

/*
 * Find the tokens in the `size` bytes behind an array's header, trusting none of the lengths in them
 *
 * Tokens of the same dimensions have the same size, so they stand at equal distances. `count` is at least 1.
 */
LayoutError
layout_read(Element element, const uint8_t *data, size_t size, int count, Tokens *tokens, LayoutProblem *problem)
{
	size_t		at = 0;

	memset(tokens, 0, sizeof(*tokens));
	for (int i = 0; i < count; i++)
	{
		size_t		length;
		int			dims;

		problem->token = i;
		problem->dims = 0;
		if (at > size || size - at < TOKEN_HEADER)
			return LAYOUT_CORRUPT;
		length = element_size(read_word(data + at));
		if (length < TOKEN_HEADER || length > size - at)
			return LAYOUT_CORRUPT;
		dims = element_dims(element, data + at, length);
		if (dims < 0)
			return LAYOUT_CORRUPT;
		if (i == 0)
		{
			tokens->data = data;
			tokens->stride = (length + 3) & ~(size_t) 3;
			tokens->dims = dims;
		}
		problem->dims = dims;
		if (dims != tokens->dims)
			return LAYOUT_MIXED;
		at += tokens->stride;
	}
	tokens->count = count;
	return LAYOUT_OK;
}
