#include "kernel.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "half.h"

#define CODE_MAX 127

const Kernel *const kernels[] = {
#if defined(__x86_64__)
	&kernel_avx512,
	&kernel_avx2,
#elif defined(__aarch64__)
	&kernel_neondot,
	&kernel_neon,
#endif
	&kernel_plain,
	NULL
};

/* The fastest kernel that this processor runs */
const Kernel *
kernel_best(void)
{
	int			i = 0;

	while (!kernels[i]->supported())
		i++;
	return kernels[i];
}

/* The kernel of that name, in any case, NULL if this build has none */
const Kernel *
kernel_find(const char *name)
{
	for (int i = 0; kernels[i] != NULL; i++)
		if (strcasecmp(kernels[i]->name, name) == 0)
			return kernels[i];
	return NULL;
}

/* Sizes of the parts of a query's block, each a multiple of a cache line */
typedef struct Parts
{
	size_t		panels;
	size_t		best;
	size_t		scratch;
	size_t		scale;
} Parts;

static size_t
lines(size_t bytes)
{
	return (bytes + 63) & ~(size_t) 63;
}

static int
lanes_of(int count)
{
	return (count + 7) & ~7;
}

static int
depth_of(Form form, int dims)
{
	if (form == FORM_BIT)
		return dims / 64 + (dims % 64 != 0);
	/* document bits are expanded 64 at a time */
	if (form == FORM_SIGN)
		return (dims / 64 + (dims % 64 != 0)) * 16;
	return dims;
}

static Parts
parts_of(Form form, int count, int dims)
{
	Parts		parts;
	size_t		lanes = lanes_of(count);
	size_t		depth = depth_of(form, dims);

	parts.panels = lines(lanes * depth * (form == FORM_BIT ? sizeof(uint64_t) : 4));
	parts.best = lines(lanes * 4);
	parts.scratch = form == FORM_HALF || form == FORM_SIGN ? lines(TILE * depth * 4) : 0;
	parts.scale = form == FORM_SIGN ? lines(lanes * 4) : 0;
	return parts;
}

/* Bytes that query_init() needs */
size_t
query_size(Form form, int count, int dims)
{
	Parts		parts = parts_of(form, count, dims);

	return parts.panels + parts.best + parts.scratch + 2 * parts.scale + 63;
}

/* Where a value stands in the panels, in units of one lane at one depth */
static size_t
place(const Prepared *query, int token, int depth)
{
	int			first = token - token % PANEL;

	return (size_t) first * query->depth + (size_t) depth * panel_width(query, first) + token % PANEL;
}

static void
init_float(Prepared *query, int token, const uint8_t *values)
{
	float	   *panels = query->panels;

	for (int k = 0; k < query->dims; k++)
	{
		float		value;

		if (query->form == FORM_HALF)
			value = half_at(values, k);
		else
			memcpy(&value, values + 4 * (size_t) k, sizeof(value));
		panels[place(query, token, k)] = value;
	}
}

static void
init_bit(Prepared *query, int token, const uint8_t *values)
{
	uint64_t   *panels = query->panels;
	size_t		bytes = ((size_t) query->dims + 7) / 8;

	for (int k = 0; k < query->depth; k++)
		panels[place(query, token, k)] = word_at(values, k, bytes);
}

/* 8-bit codes in the order in which a document's bits are expanded: least significant bit of each byte first */
static void
init_sign(Prepared *query, int token, const uint8_t *values)
{
	int8_t	   *panels = query->panels;
	float	   *floats = query->scratch;
	float		largest = 0;

	for (int k = 0; k < query->dims; k++)
	{
		float		size;

		floats[k] = half_at(values, k);
		size = fabsf(floats[k]);
		if (size > largest)
			largest = size;
	}
	query->scale[token] = largest / CODE_MAX;
	if (largest == 0)
		return;
	for (int k = 0; k < query->dims; k++)
	{
		float		ratio = floats[k] / query->scale[token];
		/* no number comes only of damaged data */
		int			code = isnan(ratio) ? 0 : (int) lrintf(ratio);
		int			at = k ^ 7;

		panels[place(query, token, at / 4) * 4 + at % 4] = (int8_t) code;
		query->sum[token] += code;
	}
}

/* Lay out a query's tokens, of which there is at least one, in `memory` of query_size() bytes */
void
query_init(Prepared *query, Form form, void *memory, const Tokens *tokens)
{
	Parts		parts = parts_of(form, tokens->count, tokens->dims);
	uint8_t    *at = (uint8_t *) (((uintptr_t) memory + 63) & ~(uintptr_t) 63);

	query->form = form;
	query->count = tokens->count;
	query->dims = tokens->dims;
	query->lanes = lanes_of(tokens->count);
	query->depth = depth_of(form, tokens->dims);
	memset(at, 0, query_size(form, tokens->count, tokens->dims) - 63);
	query->panels = at;
	query->best = at += parts.panels;
	query->scratch = at += parts.best;
	query->scale = (float *) (at += parts.scratch);
	query->sum = (int32_t *) (at += parts.scale);
	for (int i = 0; i < tokens->count; i++)
	{
		const uint8_t *values = tokens->data + i * tokens->stride + TOKEN_HEADER;

		if (form == FORM_BIT)
			init_bit(query, i, values);
		else if (form == FORM_SIGN)
			init_sign(query, i, values);
		else
			init_float(query, i, values);
	}
}

/* Forget the previous document: NaN and the extreme distance mean that there is none */
void
query_start(const Prepared *query)
{
	float	   *floats = query->best;
	int32_t    *integers = query->best;

	for (int i = 0; i < query->lanes; i++)
		if (query->form == FORM_BIT)
			integers[i] = INT32_MAX;
		else if (query->form == FORM_SIGN)
			integers[i] = INT32_MIN;
		else
			floats[i] = NAN;
}

/* The best similarity of a query token with the document tokens since query_start() */
double
query_similarity(const Prepared *query, int token)
{
	const float *floats = query->best;
	const int32_t *integers = query->best;
	double		dims = query->dims;

	if (query->form == FORM_BIT)
		return 1 - 2 * (double) integers[token] / dims;
	if (query->form == FORM_SIGN)
		/* sum of c * s over the signs s is twice the sum over the bits that are set, less that over all */
		return query->scale[token] * (2 * (double) integers[token] - query->sum[token]) / sqrt(dims);
	return floats[token];
}

/* MaxSim with the document tokens since query_start() */
double
query_score(const Prepared *query)
{
	const int32_t *distance = query->best;
	double		sum = 0;
	int64_t		distances = 0;

	/* whole numbers until the end, as the SQL kernel does */
	if (query->form == FORM_BIT)
	{
		for (int i = 0; i < query->count; i++)
			distances += distance[i];
		return query->count - 2 * (double) distances / query->dims;
	}
	for (int i = 0; i < query->count; i++)
		sum += query_similarity(query, i);
	return sum;
}

/* True if the document token since query_start() beats `similarity`, which is then raised; every number beats NaN */
bool
query_better(const Prepared *query, int token, double *similarity)
{
	double		found = query_similarity(query, token);

	if (!(found > *similarity) && !(isnan(*similarity) && !isnan(found)))
		return false;
	*similarity = found;
	return true;
}
