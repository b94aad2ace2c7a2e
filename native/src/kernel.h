/*
 * MaxSim over packed tokens, without Postgres: S(q, d) = sum over query tokens of the largest similarity with a
 * document token (Khattab and Zaharia 2020).
 *
 * A query is prepared once: its tokens are laid side by side in panels of 16 (the last one 8 where that is enough),
 * so that one value of a document token meets 16 query tokens in one vector instruction, and the maximum over
 * document tokens needs no sum across a register.
 */
#ifndef PGENCODER_KERNEL_H
#define PGENCODER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PANEL 16

/* Hidden, because other libraries in the same server may use the same names */
#pragma GCC visibility push(hidden)

/* The types of a query and of the document tokens that it is compared with. */
typedef enum Form
{
	FORM_HALF,					/* halfvec, halfvec */
	FORM_FLOAT,					/* vector, vector */
	FORM_BIT,					/* bit, bit: (d - 2 * hamming distance) / d */
	FORM_SIGN,					/* halfvec, bit: 8-bit query, document tokens are signs of length 1 */
	FORM_COUNT
} Form;

/* The element types of the arrays. */
typedef enum Element
{
	ELEMENT_HALFVEC,
	ELEMENT_VECTOR,
	ELEMENT_BIT
} Element;

/* Tokens in an array's data: each has an 8-byte header before its values. */
typedef struct Tokens
{
	const uint8_t *data;		/* the first token's header */
	size_t		stride;			/* bytes from one token to the next */
	int			count;
	int			dims;
} Tokens;

#define TOKEN_HEADER 8

typedef enum LayoutError
{
	LAYOUT_OK,
	LAYOUT_MIXED,				/* two tokens differ in their dimensions */
	LAYOUT_CORRUPT				/* an impossible length */
} LayoutError;

/* The wrong token, counted from 0, and its dimensions. */
typedef struct LayoutProblem
{
	int			token;
	int			dims;
} LayoutProblem;

/* A prepared query. All arrays live in the one block of memory that query_init() was given. */
typedef struct Prepared
{
	Form		form;
	int			count;			/* tokens */
	int			dims;
	int			lanes;			/* tokens in all panels, a multiple of 8 */
	int			depth;			/* dims, or groups of 4 dims (FORM_SIGN), or words of 64 bits (FORM_BIT) */
	void	   *panels;			/* float, int8[4] or uint64, by [panel][depth][lane] */
	void	   *best;			/* float or int32 by lane: the best so far */
	void	   *scratch;		/* a tile of document tokens, converted */
	float	   *scale;			/* FORM_SIGN: the value of one step of the 8-bit code */
	int32_t    *sum;			/* FORM_SIGN: sum of the codes */
} Prepared;

/* Document tokens that are converted together. */
#define TILE 8

/* Raise query->best over `count` tokens; `values` is the first token's, behind its header. */
typedef void (*Scanner) (const Prepared *query, const uint8_t *values, size_t stride, int count);

/* One way to compute, for one kind of processor. */
typedef struct Kernel
{
	const char *name;
	bool		(*supported) (void);
	Scanner		scan[FORM_COUNT];
} Kernel;

extern const Kernel kernel_plain;
#if defined(__x86_64__)
extern const Kernel kernel_avx2;
extern const Kernel kernel_avx512;
#elif defined(__aarch64__)
extern const Kernel kernel_neon;
extern const Kernel kernel_neondot;
#endif

/* The kernels of this build, fastest first, NULL at the end. */
extern const Kernel *const kernels[];

extern const Kernel *kernel_best(void);
extern const Kernel *kernel_find(const char *name);

extern LayoutError layout_read(Element element, const uint8_t *data, size_t size, int count, Tokens *tokens,
							   LayoutProblem *problem);

extern size_t query_size(Form form, int count, int dims);
extern void query_init(Prepared *query, Form form, void *memory, const Tokens *tokens);
extern void query_start(const Prepared *query);
extern double query_similarity(const Prepared *query, int token);
extern double query_score(const Prepared *query);
extern bool query_better(const Prepared *query, int token, double *similarity);

/* 64 bits of a token of `bytes` bytes; bits after its end are 0. */
static inline uint64_t
word_at(const uint8_t *values, int k, size_t bytes)
{
	uint64_t	word = 0;
	size_t		left = bytes - 8 * (size_t) k;

	/* with a constant size it is one load */
	if (__builtin_expect(left >= 8, 1))
		memcpy(&word, values + 8 * (size_t) k, 8);
	else
		memcpy(&word, values + 8 * (size_t) k, left);
	return word;
}

/* Lanes of the panel that `lane` is in. */
static inline int
panel_width(const Prepared *query, int lane)
{
	int			left = query->lanes - (lane - lane % PANEL);

	return left < PANEL ? left : PANEL;
}

/* The first value of a lane, at depth 0; `size` is that of a value. */
static inline const void *
panel_at(const Prepared *query, int lane, size_t size)
{
	size_t		first = (size_t) (lane - lane % PANEL) * query->depth;

	return (const uint8_t *) query->panels + (first + lane % PANEL) * size;
}

#pragma GCC visibility pop

#endif
