/*
 * Fuzzing: a damaged array is refused or read within its bounds, and all kernels find what kernel_plain finds.
 *
 * make -f kernel.mk fuzz && build/fuzz ITERATIONS SEED
 * make -f kernel.mk fuzz-libfuzzer && build/fuzz-libfuzzer -max_total_time=60
 */
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "kernel.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define COUNT_MAX 40
#define BUILT_DIMS_MAX 16000	/* of halfvec and vector */

static const int built_dims[] = {1, 2, 7, 8, 9, 63, 64, 65, 128, 384, 1000};
static const int read_counts[] = {1, 2, 9, COUNT_MAX, INT_MAX};
static const Element query_element[FORM_COUNT] = {ELEMENT_HALFVEC, ELEMENT_VECTOR, ELEMENT_BIT, ELEMENT_HALFVEC};
static const Element document_element[FORM_COUNT] = {ELEMENT_HALFVEC, ELEMENT_VECTOR, ELEMENT_BIT, ELEMENT_BIT};
static const Form symmetric[] = {FORM_HALF, FORM_FLOAT, FORM_BIT};	/* by element */

/* Arrays of each element type in the inputs that were accepted */
static long accepted[ELEMENT_BIT + 1];

/* An array's data: it ends where its memory ends, so that ASan sees any read behind it */
typedef struct Block
{
	uint8_t    *memory;
	uint8_t    *data;
	size_t		size;
} Block;

/* The bytes of an input, again and again, but other ones each time */
typedef struct Source
{
	const uint8_t *data;
	size_t		size;
	size_t		at;
} Source;

static void *
allocate(size_t size)
{
	void	   *memory = malloc(size);

	if (memory == NULL)
	{
		fprintf(stderr, "no memory for %zu bytes\n", size);
		exit(1);
	}
	return memory;
}

static Block
block_new(size_t size)
{
	Block		block = {allocate(size + 4), NULL, size};

	/* aligned to 4 bytes and to no more than that, as in the server */
	block.data = memset(block.memory + 4, 0, size);
	return block;
}

static uint32_t
take(Source *source, int bytes)
{
	uint32_t	value = 0;

	for (int i = 0; i < bytes && source->size > 0; i++, source->at++)
		value = value << 8 | (uint8_t) (source->data[source->at % source->size] + 101 * (source->at / source->size));
	return value;
}

/* A number below `limit`, which is positive */
static size_t
below(Source *source, size_t limit)
{
	return take(source, limit > 256 ? 4 : 1) % limit;
}

/* How large a token's values are; most tokens are ordinary, as others leave little to compare. */
typedef enum Kind
{
	KIND_TINY,					/* subnormal */
	KIND_LARGE,					/* the largest halves; floats whose products do not overflow, but their sum may */
	KIND_HUGE,					/* the largest halves and floats */
	KIND_RAW,					/* any bits */
	KIND_ORDINARY
} Kind;

/* Zeros, infinities and NaN, the last one signaling */
static const uint16_t special_halves[] = {0x0000, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x7c01};
static const uint32_t special_floats[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001};

static void
put_half(Source *source, Kind kind, uint8_t *to)
{
	uint16_t	bits = (uint16_t) take(source, 2);

	if (kind == KIND_TINY)
		bits &= 0x83ff;
	else if (kind == KIND_LARGE || kind == KIND_HUGE)
		bits = (bits & 0x83ff) | 0x7800;
	else if (kind == KIND_ORDINARY)
		bits &= 0xbbff;			/* less than 1 */
	memcpy(to, &bits, sizeof(bits));
}

static void
put_float(Source *source, Kind kind, uint8_t *to)
{
	uint32_t	bits = take(source, 4);
	float		ordinary = (float) (int32_t) bits * 0x1p-31f;

	if (kind == KIND_TINY)
		bits &= 0x807fffff;
	else if (kind == KIND_LARGE)
		bits = (bits & 0x807fffff) | 0x5d000000;
	else if (kind == KIND_HUGE)
		bits = (bits & 0x807fffff) | 0x7e800000;
	else if (kind == KIND_ORDINARY)
		memcpy(&bits, &ordinary, sizeof(bits));
	memcpy(to, &bits, sizeof(bits));
}

static void
put_values(Source *source, Element element, int dims, uint8_t *to)
{
	size_t		choice = below(source, 12);
	Kind		kind = choice < KIND_ORDINARY ? (Kind) choice : KIND_ORDINARY;
	size_t		special = below(source, 24);
	size_t		at = below(source, dims);
	bool		equal = below(source, 8) == 0;
	const Source first = *source;

	for (int k = 0; k < dims; k++)
	{
		/* equal values make the largest sums */
		if (equal)
			*source = first;
		if (element == ELEMENT_HALFVEC)
			put_half(source, kind, to + 2 * (size_t) k);
		else
			put_float(source, kind, to + 4 * (size_t) k);
	}
	if (special < LENGTH(special_halves) && element == ELEMENT_HALFVEC)
		memcpy(to + 2 * at, &special_halves[special], 2);
	else if (special < LENGTH(special_floats) && element == ELEMENT_VECTOR)
		memcpy(to + 4 * at, &special_floats[special], 4);
}

static size_t
bytes_of(Element element, int dims)
{
	if (element == ELEMENT_BIT)
		return ((size_t) dims + 7) / 8;
	return (size_t) dims * (element == ELEMENT_HALFVEC ? 2 : 4);
}

static void
put_bits(Source *source, int dims, uint8_t *to)
{
	size_t		bytes = bytes_of(ELEMENT_BIT, dims);
	bool		ones = below(source, 8) == 0;

	for (size_t k = 0; k < bytes; k++)
		to[k] = ones ? 0xff : (uint8_t) take(source, 1);
	if (dims % 8 != 0)
		to[bytes - 1] &= (uint8_t) (0xff << (8 - dims % 8));
}

static size_t
stride_of(Element element, int dims)
{
	return (TOKEN_HEADER + bytes_of(element, dims) + 3) & ~(size_t) 3;
}

/* A well-formed array of which the last token is not padded */
static Block
build(Source *source, Element element, int dims, int count)
{
	size_t		length = TOKEN_HEADER + bytes_of(element, dims);
	size_t		stride = stride_of(element, dims);
	Block		block = block_new((size_t) (count - 1) * stride + length);

	for (int i = 0; i < count; i++)
	{
		uint8_t    *token = block.data + i * stride;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		uint32_t	word = (uint32_t) length;
#else
		uint32_t	word = (uint32_t) length << 2;
#endif
		int16_t		dim = (int16_t) dims;

		memcpy(token, &word, sizeof(word));
		if (element == ELEMENT_BIT)
		{
			memcpy(token + 4, &dims, sizeof(dims));
			put_bits(source, dims, token + TOKEN_HEADER);
		}
		else
		{
			memcpy(token + 4, &dim, sizeof(dim));
			put_values(source, element, dims, token + TOKEN_HEADER);
		}
	}
	return block;
}

static double
value_at(Form form, const Tokens *tokens, int token, int k)
{
	const uint8_t *values = tokens->data + token * tokens->stride + TOKEN_HEADER;
	float		value;

	if (form == FORM_HALF)
		return half_at(values, k);
	memcpy(&value, values + 4 * (size_t) k, sizeof(value));
	return value;
}

/*
 * How far apart two kernels' best similarities of a query token may be; NaN if they cannot be compared
 *
 * A kernel adds `dims` products one after the other. Each sum is rounded, and each product too where it is not fused
 * with the sum. So a result is off by at most dims * 2^-24 of the sum of the products' magnitudes (Higham 2002,
 * section 3.1) and by the smallest subnormal for each product that underflows; two results differ by twice as much,
 * and their maxima over a document by no more than the worst of its tokens.
 *
 * Infinities and NaN must agree as long as they come from the values: then they do not depend on rounding. Where the
 * magnitudes of the finite products alone come near FLT_MAX, rounding may decide whether a sum overflows and, with
 * infinities of both signs, becomes NaN: nothing is compared.
 */
static double
tolerance(Form form, const Tokens *query, const Tokens *document, int token)
{
	double		worst = 0;

	for (int j = 0; j < document->count; j++)
	{
		double		magnitude = 0;

		for (int k = 0; k < query->dims; k++)
		{
			double		product = value_at(form, query, token, k) * value_at(form, document, j, k);

			if (isfinite(product))
				magnitude += fabs(product);
		}
		if (magnitude > FLT_MAX / 2)
			return NAN;
		worst = fmax(worst, magnitude);
	}
	return 1.01 * query->dims * (FLT_EPSILON * worst + 2 * FLT_TRUE_MIN);
}

/* What a kernel left; whole numbers are not scaled, as their scale may be NaN */
static double
best_of(const Prepared *query, int token)
{
	if (query->form == FORM_BIT || query->form == FORM_SIGN)
		return ((const int32_t *) query->best)[token];
	return ((const float *) query->best)[token];
}

static bool
same(double found, double expected, double allowed)
{
	if (isnan(allowed) || (isnan(found) && isnan(expected)))
		return true;
	/* the difference of two equal infinities is NaN */
	return found == expected || fabs(found - expected) <= allowed;
}

static void
scan(const Kernel *kernel, const Prepared *query, const Tokens *document, int first, int count)
{
	const uint8_t *values = document->data + first * document->stride + TOKEN_HEADER;

	kernel->scan[query->form] (query, values, document->stride, count);
}

/* All kernels on one query and document, the document in two parts as the server may give it */
static void
compare(Form form, const Tokens *tokens, const Tokens *document, int part)
{
	static const char *const names[FORM_COUNT] = {"half", "float", "bit", "sign"};
	void	   *memory = allocate(query_size(form, tokens->count, tokens->dims));
	double	   *expected = allocate(sizeof(double) * tokens->count);
	double	   *allowed = allocate(sizeof(double) * tokens->count);
	Prepared	query;

	query_init(&query, form, memory, tokens);
	query_start(&query);
	scan(&kernel_plain, &query, document, 0, document->count);
	for (int i = 0; i < tokens->count; i++)
	{
		expected[i] = best_of(&query, i);
		allowed[i] = form == FORM_BIT || form == FORM_SIGN ? 0 : tolerance(form, tokens, document, i);
	}
	query_score(&query);
	for (int i = 0; kernels[i] != NULL; i++)
	{
		if (!kernels[i]->supported())
			continue;
		query_start(&query);
		scan(kernels[i], &query, document, 0, part);
		if (part < document->count)
			scan(kernels[i], &query, document, part, document->count - part);
		for (int t = 0; t < tokens->count; t++)
		{
			if (same(best_of(&query, t), expected[t], allowed[t]))
				continue;
			fprintf(stderr, "%s, form %s, %d dims, %d and %d tokens: query token %d has %.9g, plain %.9g +- %.3g\n",
					kernels[i]->name, names[form], tokens->dims, tokens->count, document->count, t,
					best_of(&query, t), expected[t], allowed[t]);
			abort();
		}
	}
	free(allowed);
	free(expected);
	free(memory);
}

static void
must_read(Element element, const Block *block, int count, Tokens *tokens)
{
	LayoutProblem problem;

	if (layout_read(element, block->data, block->size, count, tokens, &problem) == LAYOUT_OK)
		return;
	fprintf(stderr, "a well-formed array of %d tokens (element %d) was refused at token %d\n",
			count, element, problem.token);
	abort();
}

/* Every token of an accepted array has the same dimensions and ends within it */
static void
check_tokens(Element element, const Block *block, const Tokens *tokens)
{
	for (int i = 0; i < tokens->count; i++)
	{
		size_t		at = i * tokens->stride;
		int16_t		dim;
		int32_t		dims;

		if (at + TOKEN_HEADER + bytes_of(element, tokens->dims) <= block->size)
		{
			memcpy(&dim, block->data + at + 4, sizeof(dim));
			memcpy(&dims, block->data + at + 4, sizeof(dims));
			if ((element == ELEMENT_BIT ? dims : dim) == tokens->dims)
				continue;
		}
		fprintf(stderr, "token %d of %d (element %d) was accepted, but it has not %d dims\n",
				i, tokens->count, element, tokens->dims);
		abort();
	}
}

/* An accepted array as both sides of a form, or as one if a form has it on one side only */
static void
use(Element element, const Tokens *tokens, Source *source)
{
	int			part = 1 + (int) below(source, tokens->count);
	int			count = 1 + (int) below(source, 9);
	Block		block;
	Tokens		others;

	compare(symmetric[element], tokens, tokens, part);
	if (element == ELEMENT_HALFVEC)
	{
		block = build(source, ELEMENT_BIT, tokens->dims, count);
		must_read(ELEMENT_BIT, &block, count, &others);
		compare(FORM_SIGN, tokens, &others, count);
		free(block.memory);
	}
	else if (element == ELEMENT_BIT && tokens->dims >= 1 && tokens->dims <= BUILT_DIMS_MAX)
	{
		block = build(source, ELEMENT_HALFVEC, tokens->dims, count);
		must_read(ELEMENT_HALFVEC, &block, count, &others);
		compare(FORM_SIGN, &others, tokens, part);
		free(block.memory);
	}
}

/* Bytes as an array of each type */
static void
try_layouts(const uint8_t *data, size_t size)
{
	Block		block = block_new(size);
	Source		source = {data, size, 0};

	if (size > 0)
		memcpy(block.data, data, size);
	for (Element element = ELEMENT_HALFVEC; element <= ELEMENT_BIT; element++)
		for (size_t i = 0; i < LENGTH(read_counts); i++)
		{
			Tokens		tokens;
			LayoutProblem problem;

			if (layout_read(element, block.data, block.size, read_counts[i], &tokens, &problem) != LAYOUT_OK)
				continue;
			accepted[element]++;
			check_tokens(element, &block, &tokens);
			use(element, &tokens, &source);
		}
	free(block.memory);
}

/* An array that has a token of other dimensions, up to two wrong bytes or bits, most in headers, or is cut short */
static void
try_damaged(const uint8_t *data, size_t size)
{
	Source		source = {data, size, 0};
	Element		element = (Element) below(&source, ELEMENT_BIT + 1);
	int			dims = built_dims[below(&source, LENGTH(built_dims))];
	int			count = 1 + (int) below(&source, COUNT_MAX);
	size_t		wrong = below(&source, 3);
	bool		mixed = dims > 1 && below(&source, 8) == 0;
	size_t		missing = below(&source, 8) == 0 ? below(&source, 1 << 16) : 0;
	Block		block = build(&source, element, dims, count);

	if (mixed)
	{
		Block		other = build(&source, element, dims - 1, 1);

		memcpy(block.data + below(&source, count) * stride_of(element, dims), other.data, other.size);
		free(other.memory);
	}
	while (wrong-- > 0)
	{
		size_t		at = below(&source, count) * stride_of(element, dims);

		at = below(&source, 4) == 0 ? below(&source, block.size) : at + below(&source, TOKEN_HEADER);
		if (below(&source, 2) == 0)
			block.data[at] = (uint8_t) take(&source, 1);
		else
			block.data[at] ^= (uint8_t) (1 << below(&source, 8));
	}
	try_layouts(block.data, block.size - missing % block.size);
	free(block.memory);
}

/* A query and a document */
static void
try_kernels(const uint8_t *data, size_t size)
{
	Source		source = {data, size, 0};
	Form		form = (Form) below(&source, FORM_COUNT);
	int			dims = built_dims[below(&source, LENGTH(built_dims))];
	int			query_count = 1 + (int) below(&source, COUNT_MAX);
	int			count = 1 + (int) below(&source, COUNT_MAX);
	int			part = 1 + (int) below(&source, count);
	Block		query = build(&source, query_element[form], dims, query_count);
	Block		document = build(&source, document_element[form], dims, count);
	Tokens		query_tokens;
	Tokens		tokens;

	must_read(query_element[form], &query, query_count, &query_tokens);
	must_read(document_element[form], &document, count, &tokens);
	compare(form, &query_tokens, &tokens, part);
	free(document.memory);
	free(query.memory);
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the first byte says which, so that a fuzzer that learns from an input learns about one of them */
	uint8_t		which = size == 0 ? 0 : data[0] % 4;

	if (size > 0)
	{
		data++;
		size--;
	}
	if (which == 0)
		try_layouts(data, size);
	else if (which == 1)
		try_damaged(data, size);
	else
		try_kernels(data, size);
	return 0;
}

#ifdef STANDALONE
/* Splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t
draw(uint64_t *state)
{
	uint64_t	z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int
main(int argc, char **argv)
{
	long		iterations = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	uint64_t	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t	state = seed;

	for (long i = 0; i < iterations; i++)
	{
		/* short inputs as often as long ones */
		size_t		limit = (size_t) 1 << draw(&state) % 13;
		Block		block = block_new(draw(&state) % limit);

		for (size_t k = 0; k < block.size; k++)
			block.data[k] = (uint8_t) draw(&state);
		LLVMFuzzerTestOneInput(block.data, block.size);
		free(block.memory);
	}
	printf("%ld inputs from seed %" PRIu64 ", arrays read: %ld halfvec, %ld vector, %ld bit; kernels:",
		   iterations, seed, accepted[ELEMENT_HALFVEC], accepted[ELEMENT_VECTOR], accepted[ELEMENT_BIT]);
	for (int i = 0; kernels[i] != NULL; i++)
		if (kernels[i]->supported())
			printf(" %s", kernels[i]->name);
	printf("\n");
	return 0;
}
#endif
