/*
 * The loops over document tokens, the same for all instructions
 *
 * A kernel includes this file after its TARGET (attributes of functions) and its widen(), expand() and scan_tile().
 * The loops handle whole tiles or single tokens, so that the number of tokens is a constant and they can be unrolled.
 */

TARGET static void
scan_half(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	float	   *tile = query->scratch;
	size_t		dims = (size_t) query->dims;

	for (int j = 0; j < count; j += TILE)
	{
		int			n = count - j < TILE ? count - j : TILE;

		for (int t = 0; t < n; t++)
			widen(values + (j + t) * stride, tile + t * dims, query->dims);
		if (n == TILE)
			scan_tile(query, tile, dims, TILE);
		else
			for (int t = 0; t < n; t++)
				scan_tile(query, tile + t * dims, dims, 1);
	}
}

TARGET static void
scan_float(const Prepared *query, const uint8_t *values, size_t stride, int count)
{
	int			j = 0;

	for (; j + TILE <= count; j += TILE)
		scan_tile(query, (const float *) (values + j * stride), stride / 4, TILE);
	for (; j < count; j++)
		scan_tile(query, (const float *) (values + j * stride), stride / 4, 1);
}

/* `scan_expanded` raises the best with tokens whose bits are expanded to bytes */
#define SCAN_SIGN(name, target, scan_expanded) \
target static void \
name(const Prepared *query, const uint8_t *values, size_t stride, int count) \
{ \
	int32_t    *tile = query->scratch; \
	size_t		bytes = ((size_t) query->dims + 7) / 8; \
 \
	for (int j = 0; j < count; j += TILE) \
	{ \
		int			n = count - j < TILE ? count - j : TILE; \
 \
		for (int t = 0; t < n; t++) \
			expand(values + (j + t) * stride, tile + (size_t) t * query->depth, bytes); \
		if (n == TILE) \
			scan_expanded(query, tile, TILE); \
		else \
			for (int t = 0; t < n; t++) \
				scan_expanded(query, tile + (size_t) t * query->depth, 1); \
	} \
}
